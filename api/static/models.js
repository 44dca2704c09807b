// Promotes and rolls back through the API. The key is read from its field at each click, goes into
// the request's header and nowhere else.

document.documentElement.classList.add("scripted");

const registry = document.getElementById("registry");
const outcome = document.getElementById("outcome");

async function move(method, url, body) {
  const headers = { "Content-Type": "application/json" };
  const key = document.getElementById("key").value.trim();
  if (key) headers.Authorization = `Bearer ${key}`;
  outcome.textContent = "";
  // Whoever moved it since this page was shown had a reason that is not on it.
  const expected_revision = Number(registry.dataset.revision);
  try {
    const answer = await fetch(url, { method, headers, body: JSON.stringify({ ...body, expected_revision }) });
    const said = await answer.json();
    if (!answer.ok) {
      outcome.textContent = `${said.title}: ${said.detail}`;
      return;
    }
    await show();
    outcome.textContent = `Version ${said.model_id} is the champion now.`;
  } catch {
    outcome.textContent = "The server did not answer.";
  }
}

// What the page says of the versions is asked for again; the key stays where it is.
async function show() {
  const answer = await fetch(location.href, { headers: { Accept: "text/html" } });
  const page = new DOMParser().parseFromString(await answer.text(), "text/html");
  for (const part of ["h1 + p", "#versions"]) {
    document.querySelector(part).replaceWith(document.adoptNode(page.querySelector(part)));
  }
  registry.dataset.revision = page.getElementById("registry").dataset.revision;
}

document.addEventListener("click", (event) => {
  const version = event.target.closest("[data-promote]")?.dataset.promote;
  if (version) move("PUT", registry.dataset.alias, { model_id: Number(version) });
});
document.getElementById("rollback").addEventListener("click", () => move("POST", registry.dataset.rollback, {}));
