// A section marked data-include shows what its link leads to, read after the rest of the page.
// Without this script the link is there.

for (const place of document.querySelectorAll("[data-include]")) include(place);

async function include(place) {
  place.setAttribute("aria-busy", "true");
  try {
    const answer = await fetch(place.querySelector("a").href, { headers: { Accept: "text/html" } });
    if (!answer.ok) return;
    const page = new DOMParser().parseFromString(await answer.text(), "text/html");
    const [, ...rest] = page.querySelector("main section").children; // it has a heading of its own
    place.replaceChildren(place.querySelector("h2"), ...rest);
  } finally {
    place.removeAttribute("aria-busy");
  }
}
