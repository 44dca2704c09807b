// A map of points: zoom, hover, click, lasso and flights, on a canvas under an SVG of axes.
// Points are drawn colour by colour, and as pixels where tens of thousands of them must take one frame.

const MARGIN = { top: 6, right: 8, bottom: 22, left: 38 };
const CLOSE = 3; // how near a flight ends
const NEAR = 14; // pixels around the pointer within which a point is meant
const MOST_ROUND = 6000; // more points than this in view are drawn as squares

export class PointMap {
  // `on` has hover(index or null, x, y), pick(index) and lasso(indices).
  constructor(box, on) {
    Object.assign(this, { box, on, selected: [], rays: [], lassoing: false });
    this.canvas = box.querySelector("canvas");
    this.svg = d3.select(box.querySelector("svg"));
    this.xAxis = this.svg.append("g");
    this.yAxis = this.svg.append("g");
    this.raysLayer = this.svg.append("g").attr("class", "rays");
    this.outline = this.svg.append("path").attr("class", "lasso");
    this.zoom = d3.zoom()
      .scaleExtent([0.7, 400])
      .filter((event) => !event.button && !(this.lassoing && event.type !== "wheel"))
      .on("zoom", (event) => { this.transform = event.transform; this.later(); });
    this.transform = d3.zoomIdentity;
    this.svg.call(this.zoom)
      .on("pointermove", (event) => this.hover(event))
      .on("pointerleave", () => on.hover(null))
      .on("click", (event) => { const at = this.near(event); if (at !== null && !this.lassoing) on.pick(at); })
      .on("keydown", (event) => this.key(event))
      .call(d3.drag().filter(() => this.lassoing)
        .on("start", (event) => { this.line = [[event.x, event.y]]; })
        .on("drag", (event) => { this.line.push([event.x, event.y]); this.outline.attr("d", `M${this.line.join("L")}Z`); })
        .on("end", () => this.lassoed()));
    new ResizeObserver(() => this.resize()).observe(box);
  }

  // xs and ys are numbers; groups has the number of each point's colour, colours their names.
  show({ xs, ys, groups, colours }) {
    Object.assign(this, { xs, ys, groups, colours });
    this.byColour = colours.map(() => []);
    for (let i = xs.length - 1; i >= 0; i -= 1) this.byColour[groups[i]].push(i);
    this.resize();
  }

  resize() {
    const { clientWidth: width, clientHeight: height } = this.box;
    if (!this.xs || !width) return;
    const dense = devicePixelRatio || 1;
    Object.assign(this.canvas, { width: width * dense, height: height * dense });
    Object.assign(this, { width, height, dense });
    const padded = (values) => { const [a, b] = d3.extent(values); const m = (b - a || 1) * 0.04; return [a - m, b + m]; };
    this.x0 = d3.scaleLinear(padded(this.xs), [MARGIN.left, width - MARGIN.right]);
    this.y0 = d3.scaleLinear(padded(this.ys), [height - MARGIN.bottom, MARGIN.top]);
    this.zoom.extent([[0, 0], [width, height]]).translateExtent([[-width, -height], [2 * width, 2 * height]]);
    this.tree = d3.quadtree(d3.range(this.xs.length), (i) => this.x0(this.xs[i]), (i) => this.y0(this.ys[i]));
    this.draw();
  }

  later() {
    this.frame ??= requestAnimationFrame(() => { this.frame = null; this.draw(); });
  }

  draw() {
    if (!this.x0) return;
    const { width, height, dense, transform } = this;
    const x = transform.rescaleX(this.x0), y = transform.rescaleY(this.y0);
    Object.assign(this, { x, y });
    const ctx = this.canvas.getContext("2d");
    ctx.setTransform(dense, 0, 0, dense, 0, 0);
    ctx.clearRect(0, 0, width, height);
    const px = (i) => x(this.xs[i]), py = (i) => y(this.ys[i]);
    const inView = this.inView();
    const visible = new Uint8Array(this.xs.length);
    for (const i of inView) visible[i] = 1;
    const r = (inView.length > MOST_ROUND ? 1.5 : 3) * Math.min(2, transform.k ** 0.25);
    if (inView.length > MOST_ROUND) this.drawSquares(ctx, visible, x, y, r);
    else this.byColour.forEach((points, group) => {
      ctx.fillStyle = this.colours[group];
      ctx.beginPath();
      for (const i of points) if (visible[i]) dot(ctx, px(i), py(i), r, true);
      ctx.fill();
    });
    ctx.strokeStyle = getComputedStyle(this.box).color;
    ctx.lineWidth = 1.5;
    ctx.beginPath();
    for (const i of this.selected) if (visible[i]) dot(ctx, px(i), py(i), r + 1.5, this.selected.length <= MOST_ROUND);
    ctx.stroke();
    this.xAxis.attr("transform", `translate(0,${height - MARGIN.bottom})`).call(d3.axisBottom(x).ticks(width / 90));
    this.yAxis.attr("transform", `translate(${MARGIN.left},0)`).call(d3.axisLeft(y).ticks(height / 70));
    this.raysLayer.selectAll("line").data(this.rays).join("line")
      .attr("x1", ([a]) => px(a)).attr("y1", ([a]) => py(a))
      .attr("x2", ([, b]) => px(b)).attr("y2", ([, b]) => py(b));
  }

  // As `draw` does it with paths, which would take several frames.
  drawSquares(ctx, visible, x, y, r) {
    const { width, height } = this.canvas;
    const image = ctx.createImageData(width, height), pixels = new Uint32Array(image.data.buffer);
    const size = Math.round(2 * r * this.dense);
    const [ax, bx, ay, by] = [x(0), x(1) - x(0), y(0), y(1) - y(0)].map((value) => value * this.dense);
    this.byColour.forEach((points, group) => {
      const { r: red, g, b } = d3.rgb(this.colours[group]);
      const colour = 0xff000000 | (b << 16) | (g << 8) | red; // in memory red comes first
      for (const i of points) {
        if (!visible[i]) continue;
        const left = Math.round(ax + bx * this.xs[i] - size / 2), top = Math.round(ay + by * this.ys[i] - size / 2);
        const right = Math.min(width, left + size), bottom = Math.min(height, top + size);
        for (let row = Math.max(0, top); row < bottom; row += 1) pixels.fill(colour, row * width + Math.max(0, left), row * width + right);
      }
    });
    ctx.putImageData(image, 0, 0);
  }

  inView() {
    const [x1, x2] = this.x.domain(), [y1, y2] = this.y.domain();
    const found = [];
    for (let i = 0; i < this.xs.length; i += 1) {
      if (this.xs[i] >= x1 && this.xs[i] <= x2 && this.ys[i] >= y1 && this.ys[i] <= y2) found.push(i);
    }
    return found;
  }

  // Marks points, and draws rays between pairs of them.
  mark(selected, rays = []) {
    Object.assign(this, { selected, rays });
    this.later();
  }

  near(event) {
    const at = this.transform.invert(d3.pointer(event, this.svg.node()));
    return this.tree?.find(...at, NEAR / this.transform.k) ?? null;
  }

  hover(event) {
    const at = event.buttons ? null : this.near(event);
    this.on.hover(at, ...(at === null ? [] : [this.x(this.xs[at]), this.y(this.ys[at])]));
  }

  lassoed() {
    const line = this.line.map(([px, py]) => [this.x.invert(px), this.y.invert(py)]);
    this.outline.attr("d", null);
    if (line.length < 3) return;
    const inside = this.inView().filter((i) => d3.polygonContains(line, [this.xs[i], this.ys[i]]));
    this.on.lasso(inside);
  }

  fly(at) {
    const k = Math.max(CLOSE, this.transform.k);
    const target = d3.zoomIdentity.translate(this.width / 2, this.height / 2).scale(k)
      .translate(-this.x0(this.xs[at]), -this.y0(this.ys[at]));
    this.move((moved) => moved.call(this.zoom.transform, target), 900);
  }

  by(factor) { this.move((moved) => moved.call(this.zoom.scaleBy, factor)); }

  whole() { this.move((moved) => moved.call(this.zoom.transform, d3.zoomIdentity)); }

  move(how, duration = 250) {
    const still = matchMedia("(prefers-reduced-motion: reduce)").matches;
    how(still ? this.svg : this.svg.transition().duration(duration));
  }

  key(event) {
    const step = 60 / this.transform.k;
    const moves = {
      ArrowLeft: () => this.svg.call(this.zoom.translateBy, step, 0),
      ArrowRight: () => this.svg.call(this.zoom.translateBy, -step, 0),
      ArrowUp: () => this.svg.call(this.zoom.translateBy, 0, step),
      ArrowDown: () => this.svg.call(this.zoom.translateBy, 0, -step),
      "+": () => this.by(1.6),
      "-": () => this.by(1 / 1.6),
      0: () => this.whole(),
    };
    if (!moves[event.key]) return;
    event.preventDefault();
    moves[event.key]();
  }
}

function dot(ctx, x, y, r, isRound) {
  if (isRound) {
    ctx.moveTo(x + r, y);
    ctx.arc(x, y, r, 0, 2 * Math.PI);
  } else {
    ctx.rect(x - r, y - r, 2 * r, 2 * r);
  }
}
