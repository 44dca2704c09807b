// The page of the map: what is chosen, the film that was clicked, and the list of a selection.

import { colouring } from "./colours.js";
import { PointMap } from "./map.js";

const SHOWN = 200;
const N_NEAREST = 10;
const $ = (id) => document.getElementById(id);
const box = $("map");
let films = null, index = null, selection = [];

const label = (i) => (films.year[i] === null ? films.title[i] : `${films.title[i]} (${films.year[i]})`);
const say = (text) => { $("status").textContent = text; };

const map = new PointMap(box, {
  hover(i, x, y) {
    const tip = box.querySelector(".tip");
    tip.hidden = i === undefined || i === null;
    if (tip.hidden) return;
    tip.textContent = `${label(i)}, ${films.n_ratings[i].toLocaleString()} ratings`;
    const fits = x + tip.offsetWidth + 20 < box.clientWidth;
    tip.style.left = `${fits ? x + 12 : Math.max(0, x - tip.offsetWidth - 12)}px`;
    tip.style.top = `${Math.max(0, y - 12)}px`;
  },
  pick: (i) => pick(i),
  lasso: (found) => select(found),
});

async function load() {
  const parameters = new URLSearchParams({ min_ratings: $("min_ratings").value || 0 });
  const answer = await fetch(`${box.dataset.points}?${parameters}`);
  if (!answer.ok) return say("The films could not be read.");
  films = await answer.json();
  index = new Map(films.item_id.map((id, i) => [id, i]));
  selection = [];
  list();
  show();
  box.dataset.ready = films.item_id.length;
  say(`${films.item_id.length} films`);
}

function show() {
  const [x, y] = [$("x"), $("y")].map((select) => Number(select.value));
  const { legend, ...coloured } = colouring(films, $("colour").value);
  map.show({ xs: films.coordinates[x], ys: films.coordinates[y], ...coloured });
  for (const [name, n] of [["x", x], ["y", y]]) {
    const axis = films.axes[n];
    $(`${name}-high`).textContent = `${name === "x" ? "" : "↑ "}${axis.highest.join("; ")}${name === "x" ? " →" : ""}`;
    $(`${name}-low`).textContent = `${name === "x" ? "← " : "↓ "}${axis.lowest.join("; ")}`;
  }
  $("legend").replaceChildren(...legend.map(([colour, text]) => {
    const entry = document.createElement("span");
    const swatch = entry.appendChild(document.createElement("i"));
    swatch.style.background = colour;
    entry.append(text);
    return entry;
  }));
  const chosen = new URLSearchParams(new FormData($("choices")));
  history.replaceState(null, "", `?${chosen}`);
}

function film(i, text = "") {
  const line = document.createElement("li");
  const row = line.appendChild(document.createElement("span"));
  row.append(text);
  const button = row.appendChild(document.createElement("button"));
  button.className = "link";
  button.textContent = label(i);
  button.addEventListener("click", () => { map.fly(i); pick(i); });
  return line;
}

async function pick(i) {
  const panel = $("film");
  panel.hidden = false;
  $("hint").hidden = true;
  panel.querySelector("h2").textContent = label(i);
  const genres = films.genres[i].map((n) => films.genre_names[n]).join(", ");
  const bias = films.bias ? `, bias ${films.bias[i].toFixed(2)}` : "";
  panel.querySelector("p").textContent = `${genres}${genres ? "; " : ""}${films.n_ratings[i].toLocaleString()} ratings${bias}`;
  const nearest = panel.querySelector("ol");
  nearest.replaceChildren();
  map.mark([...selection, i]);
  const answer = await fetch(`${box.dataset.items}/${encodeURIComponent(films.item_id[i])}/similar?limit=${N_NEAREST}`);
  if (!answer.ok || panel.querySelector("h2").textContent !== label(i)) return;
  const { items } = await answer.json();
  const drawn = items.filter((item) => index.has(item.item_id));
  nearest.replaceChildren(...drawn.map((item) => film(index.get(item.item_id), `${item.score.toFixed(2)} `)));
  map.mark([...selection, i], drawn.map((item) => [i, index.get(item.item_id)]));
}

function select(found) {
  selection = found;
  map.mark(found);
  list();
  say(`${found.length} films selected`);
}

function list() {
  const panel = $("selection");
  panel.hidden = !selection.length;
  if (selection.length) $("hint").hidden = true;
  panel.querySelector("h2").textContent = `${selection.length.toLocaleString()} films selected`;
  panel.querySelector("ol").replaceChildren(...selection.slice(0, SHOWN).map((i) => film(i)));
}

function table(separator) {
  const quoted = (value) => {
    const text = String(value ?? "");
    return separator === "," && /[",\n\r]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
  };
  const axes = films.axes.map((axis) => `axis_${axis.component}`);
  const rows = selection.map((i) => [
    films.item_id[i], films.title[i], films.year[i], films.n_ratings[i], ...films.coordinates.map((along) => along[i]),
  ]);
  return [["item_id", "title", "year", "n_ratings", ...axes], ...rows].map((row) => row.map(quoted).join(separator)).join("\n");
}

async function copy(text) {
  try {
    await navigator.clipboard.writeText(text);
    say("Copied");
  } catch {
    say("This browser does not let a page copy; download the table instead");
    $("download").focus();
  }
}

function fly(id) {
  const i = index?.get(id);
  if (i === undefined) return say("This film has too few ratings to be on the map");
  map.fly(i);
  return pick(i);
}

$("choices").addEventListener("change", (event) => {
  if (event.target.id === "min_ratings") load();
  else if (event.target.name && films) show();
});
$("choices").addEventListener("film", (event) => { event.preventDefault(); fly(event.detail); });
$("choices").addEventListener("submit", (event) => {
  event.preventDefault();
  const words = $("fly").value.trim().toLowerCase();
  const at = words && films ? films.title.findIndex((title) => title.toLowerCase().includes(words)) : -1;
  if (at >= 0) fly(films.item_id[at]);
});
$("closer").addEventListener("click", () => map.by(1.6));
$("farther").addEventListener("click", () => map.by(1 / 1.6));
$("whole").addEventListener("click", () => map.whole());
$("lasso").addEventListener("click", () => {
  map.lassoing = !map.lassoing;
  $("lasso").setAttribute("aria-pressed", String(map.lassoing));
  box.classList.toggle("lassoing", map.lassoing);
});
$("in-view").addEventListener("click", () => films && select(map.inView()));
$("copy-names").addEventListener("click", () => copy(selection.map(label).join("\n")));
$("copy-table").addEventListener("click", () => copy(table("\t")));
$("download").addEventListener("click", () => {
  const link = document.createElement("a");
  link.href = URL.createObjectURL(new Blob([table(",")], { type: "text/csv" }));
  link.download = "films.csv";
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 1000);
});
matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => films && show());

await load();
if (box.dataset.item && films) fly(box.dataset.item);
