// Forms and links marked data-swap show their answer in place of <main>, without loading the page
// anew. Without this script they work all the same.

let latest = null;

export async function go(url, { focus = document.activeElement?.id, push = true } = {}) {
  latest?.abort();
  latest = new AbortController();
  const { signal } = latest;
  document.body.setAttribute("aria-busy", "true");
  try {
    const answer = await fetch(url, { signal, headers: { Accept: "text/html" } });
    const page = new DOMParser().parseFromString(await answer.text(), "text/html");
    const open = [...document.querySelectorAll(".films details")].map((details) => details.open);
    document.querySelector("main").replaceWith(document.adoptNode(page.querySelector("main")));
    document.querySelectorAll(".films details").forEach((details, n) => {
      details.open = open[n] ?? details.open;
    });
    document.title = page.title;
    if (push) history.pushState(null, "", answer.url);
    document.getElementById(focus)?.focus();
    const list = document.querySelectorAll(".films .name b");
    document.getElementById("status").textContent = list.length
      ? `${list.length} films, first ${list[0].textContent}`
      : "No films";
  } catch (error) {
    // The address shows what went wrong, or works by now.
    if (error.name !== "AbortError") location.assign(url);
  } finally {
    if (signal === latest?.signal) document.body.removeAttribute("aria-busy");
  }
}

function address(form, submitter) {
  const given = [...new FormData(form, submitter)].filter(([, value]) => value !== "");
  return `${form.getAttribute("action")}?${new URLSearchParams(given)}`;
}

document.addEventListener("submit", (event) => {
  const form = event.target;
  if (!form.matches("[data-swap]")) return;
  event.preventDefault();
  go(address(form, event.submitter), { focus: event.submitter?.id || form.dataset.focus });
});

document.addEventListener("change", (event) => {
  event.target.closest("form[data-on-change]")?.requestSubmit();
});

document.addEventListener("click", (event) => {
  const link = event.target.closest("a[data-swap]");
  if (!link || event.metaKey || event.ctrlKey || event.shiftKey || event.button) return;
  event.preventDefault();
  go(link.href);
});

addEventListener("popstate", () => go(location.href, { push: false }));
document.documentElement.classList.add("scripted");
