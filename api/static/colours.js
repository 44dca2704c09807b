// What colours points: the group of each, the colour of each group, and what a legend says.

const N_STEPS = 24;
const isDark = () => matchMedia("(prefers-color-scheme: dark)").matches;

// Viridis without the end that cannot be told from the paper.
const ramp = (t) => d3.interpolateViridis(isDark() ? 0.2 + 0.8 * t : 0.88 * t);

function variable(name) {
  return getComputedStyle(document.documentElement).getPropertyValue(name).trim();
}

export function colouring(films, by) {
  if (by.startsWith("genre ")) return genre(films, by.slice("genre ".length));
  if (by === "bias" && films.bias) return steps(films.bias, d3.format("+.2f"));
  if (by === "popularity") return steps(films.n_ratings.map(Math.log1p), (value) => d3.format(",")(Math.round(Math.expm1(value))));
  return steps(films.year, (value) => String(Math.round(value)));
}

function genre(films, name) {
  const at = films.genre_names.indexOf(name);
  return {
    groups: films.genres.map((names) => (names.includes(at) ? 1 : 0)),
    colours: [variable("--line"), variable("--mark")],
    legend: [[variable("--mark"), name], [variable("--line"), "others"]],
  };
}

function steps(values, shown) {
  const known = values.filter((value) => value !== null).sort(d3.ascending);
  // The outermost of a hundred share a colour, so that they do not take the others' differences.
  const low = d3.quantile(known, 0.01) ?? 0, high = d3.quantile(known, 0.99) ?? 1;
  const scale = d3.scaleLinear([low, high === low ? low + 1 : high], [0, N_STEPS - 1]).clamp(true);
  const at = [0, 0.25, 0.5, 0.75, 1];
  return {
    groups: values.map((value) => (value === null ? N_STEPS : Math.round(scale(value)))),
    colours: [...d3.range(N_STEPS).map((n) => ramp(n / (N_STEPS - 1))), variable("--line")],
    legend: at.map((t) => [ramp(t), shown(Math.round(100 * scale.invert(t * (N_STEPS - 1))) / 100)]),
  };
}
