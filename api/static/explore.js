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

async function read(url, parameters) {
  const answer = await fetch(`${url}?${new URLSearchParams(parameters)}`);
  if (!answer.ok) throw new Error(`${url}: ${answer.status}`);
  return answer.json();
}

async function load() {
  const min_ratings = $("min_ratings").value || 0;
  try {
    const read_films = await read(box.dataset.points, { min_ratings });
    films = { ...read_films, min_ratings, coordinates: [] };
    index = new Map(films.item_id.map((id, i) => [id, i]));
    selection = [];
    list();
    await show();
  } catch {
    return say("The films could not be read.");
  }
  box.dataset.ready = films.item_id.length;
  return say(`${films.item_id.length} films`);
}

// Resolves to the coordinates of all films along an axis, which are read when first asked for.
function along({ coordinates, min_ratings, model_id }, component) {
  coordinates[component] ??= read(box.dataset.coordinates, { min_ratings, component }).then((found) => {
    if (found.model_id !== model_id) throw new Error("another version has been promoted");
    return found.coordinates;
  });
  return coordinates[component];
}

async function show() {
  const shown = films, axes = [$("x"), $("y")].map((select) => Number(select.value));
  const [xs, ys] = await Promise.all(axes.map((n) => along(shown, n)));
  if (shown !== films || axes[0] !== Number($("x").value) || axes[1] !== Number($("y").value)) return;
  const { legend, ...coloured } = colouring(films, $("colour").value);
  map.show({ xs, ys, ...coloured });
  for (const [name, n, low, high] of [["x", axes[0], "←", "→"], ["y", axes[1], "↓", "↑"]]) {
    const axis = films.axes[n];
    $(`${name}-title`).textContent = axis.label ? `${n}: ${axis.label}` : `axis ${n}`;
    $(`${name}-high`).textContent = `${high} ${axis.highest.join("; ")}`;
    $(`${name}-low`).textContent = `${low} ${axis.lowest.join("; ")}`;
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
  // Now, so that a click on Copy need not wait: browsers let a page copy only right after one.
  allCoordinates().catch(load);
}

function list() {
  const panel = $("selection");
  panel.hidden = !selection.length;
  if (selection.length) $("hint").hidden = true;
  panel.querySelector("h2").textContent = `${selection.length.toLocaleString()} films selected`;
  panel.querySelector("ol").replaceChildren(...selection.slice(0, SHOWN).map((i) => film(i)));
}

const allCoordinates = () => Promise.all(films.axes.map((_, n) => along(films, n)));

async function table(separator) {
  const quoted = (value) => {
    const text = String(value ?? "");
    return separator === "," && /[",\n\r]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
  };
  const axes = films.axes.map((axis) => `axis_${axis.component}`);
  const coordinates = await allCoordinates();
  const rows = selection.map((i) => [
    films.item_id[i], films.title[i], films.year[i], films.n_ratings[i], ...coordinates.map((axis) => axis[i]),
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
  else if (event.target.name && films) show().catch(load);
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
$("copy-table").addEventListener("click", async () => copy(await table("\t")));
$("download").addEventListener("click", async () => {
  const link = document.createElement("a");
  link.href = URL.createObjectURL(new Blob([await table(",")], { type: "text/csv" }));
  link.download = "films.csv";
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 1000);
});
matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => films && show().catch(load));

await load();
if (box.dataset.item && films) fly(box.dataset.item);
