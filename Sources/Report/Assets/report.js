"use strict";
// Charts, choosers and sliders of a report. Names and reasons are foreign text: they get into the page as text alone.

const data = JSON.parse(document.getElementById("data").textContent);

// Colours that show on white as on near black; further runs are dashed.
const palette = ["#3b82c4", "#d9730d", "#2f9e63", "#9a6dd7", "#d64550", "#a5744b", "#d4599f", "#2a9da8"];
const dashes = [null, [7, 3], [2, 2], [9, 3, 2, 3]];
const color = run => palette[run % palette.length];
const dash = run => dashes[Math.floor(run / palette.length) % dashes.length];
const shownRuns = data.runs.map(() => true);

for (const swatch of document.querySelectorAll(".swatch")) {
  swatch.style.borderTopColor = color(swatch.dataset.run);
  if (dash(swatch.dataset.run)) swatch.style.borderTopStyle = "dashed";
}

function format(value) {
  if (value === null || !isFinite(value)) return "–";
  const size = Math.abs(value);
  if (size !== 0 && (size < 1e-3 || size >= 1e7)) return Number(value.toPrecision(3)).toExponential().replace("e+", "e");
  return String(Number(value.toPrecision(4)));
}

/** The index of the value in an ascending list that is nearest. */
function nearest(list, value) {
  let [low, high] = [0, list.length - 1];
  while (low < high) {
    const middle = (low + high) >> 1;
    if (list[middle] < value) low = middle + 1; else high = middle;
  }
  return low > 0 && value - list[low - 1] <= list[low] - value ? low - 1 : low;
}

/** Rows [step, value of each series]: null where a series has no point, NaN where it has a gap. */
function merged(series) {
  const rows = new Map();
  series.forEach((one, index) => one.x.forEach((step, at) => {
    if (!rows.has(step)) rows.set(step, [step, ...series.map(() => null)]);
    rows.get(step)[index + 1] = one.y[at] === null ? NaN : one.y[at];
  }));
  return [...rows.values()].sort((a, b) => a[0] - b[0]);
}

// One finger scrolls the page, two zoom a chart.
const interaction = { ...Dygraph.defaultInteractionModel };
for (const name of ["touchstart", "touchmove", "touchend"]) {
  const original = interaction[name];
  interaction[name] = (event, graph, context) => { if (event.touches.length > 1) original(event, graph, context); };
}

class Chart {
  constructor(figure) {
    this.figure = figure;
    this.plot = figure.querySelector(".plot");
    this.output = figure.querySelector("output");
    this.log = figure.querySelector(".log");
    this.log.addEventListener("click", () => this.setLogarithmic(this.log.getAttribute("aria-pressed") !== "true"));
    figure.querySelector(".whole").addEventListener("click", () => this.zoom(null));
    figure.querySelector("select")?.addEventListener("change", event => this.show(event.target.value));
    this.plot.addEventListener("keydown", event => this.press(event));
    this.show(figure.dataset.chart);
  }

  /** Shows the curves of a name. */
  show(name) {
    this.series = data.charts[name] ?? [];
    this.rows = merged(this.series);
    const isSparse = this.rows.length < 60;
    const options = {
      labels: ["step", ...this.series.map((_, index) => String(index))],
      colors: this.series.map(one => color(one.run)),
      visibility: this.series.map(one => shownRuns[one.run]),
      series: Object.fromEntries(this.series.map((one, index) => [index, { strokePattern: dash(one.run) }])),
      drawPoints: isSparse, pointSize: 2.5, includeZero: "zero" in this.figure.dataset,
    };
    this.figure.classList.toggle("empty", this.series.length === 0);
    this.readout(null);
    if (this.series.length === 0) return;
    if (this.graph) return this.graph.updateOptions({ file: this.rows, ...options });
    this.graph = new Dygraph(this.plot, this.rows, {
      ...options, legend: "never", connectSeparatedPoints: true, strokeWidth: 1.5, highlightCircleSize: 4, interactionModel: interaction,
      gridLineColor: "rgba(128,128,128,0.22)", axisLineColor: "rgba(128,128,128,0.5)", rightGap: 12, xRangePad: 4, yRangePad: 6,
      axisLabelFontSize: 12,
      axes: { x: { axisLabelFormatter: format, pixelsPerLabel: 70 }, y: { axisLabelFormatter: format, axisLabelWidth: 58 } },
      zoomCallback: (low, high) => this.follow(low, high),
      highlightCallback: (event, step) => this.readAll(step),
      unhighlightCallback: () => this.readAll(null),
    });
  }

  setLogarithmic(isLogarithmic) {
    this.log.setAttribute("aria-pressed", isLogarithmic);
    this.graph?.updateOptions({ logscale: isLogarithmic });
  }

  /** Shows a range of steps in all charts; null: the whole. */
  zoom(range) {
    for (const { graph } of charts) {
      if (range) graph?.updateOptions({ dateWindow: range }); else graph?.resetZoom();
    }
  }

  /** Has the other charts follow this one's zoom. A zoom of values alone is its own. */
  follow(low, high) {
    if (this.graph.isZoomed("x")) this.zoom([low, high]);
    else if (!this.graph.isZoomed("y")) this.zoom(null);
  }

  readAll(step) {
    for (const chart of charts) chart.readout(step, chart !== this);
  }

  /** Tells the values at a step, each of its series' nearest point; null: none. */
  readout(step, marks = false) {
    this.step = step;
    this.output.replaceChildren();
    if (!this.graph || step === null) {
      if (marks) this.graph?.clearSelection();
      return;
    }
    const at = document.createElement("span");
    at.textContent = `step ${this.rows[nearest(this.rows.map(row => row[0]), step)]?.[0] ?? step}`;
    this.output.append(at);
    for (const one of this.series) {
      if (!shownRuns[one.run]) continue;
      const value = document.createElement("span");
      value.style.borderBottomColor = color(one.run);
      value.textContent = (data.runs.length > 1 ? data.runs[one.run] + " " : "") + format(one.y[nearest(one.x, step)]);
      this.output.append(" ", value);
    }
    if (marks) this.graph.setSelection(nearest(this.rows.map(row => row[0]), step));
  }

  press(event) {
    if (!this.graph) return;
    const [low, high] = this.graph.xAxisRange();
    const middle = this.step ?? (low + high) / 2;
    const around = share => this.zoom([middle - (middle - low) * share, middle + (high - middle) * share]);
    const move = by => {
      const steps = this.rows.map(row => row[0]);
      const next = this.step === null ? nearest(steps, low) : nearest(steps, this.step) + by;
      const step = steps[Math.max(0, Math.min(steps.length - 1, next))];
      for (const chart of charts) chart.readout(step, true);
    };
    const actions = {
      ArrowLeft: () => move(-1), ArrowRight: () => move(1), "+": () => around(0.5), "-": () => around(2), Escape: () => this.zoom(null),
    };
    const action = actions[event.key];
    if (!action) return;
    event.preventDefault();
    action();
  }
}

const charts = [];
for (const figure of document.querySelectorAll(".chart")) charts.push(new Chart(figure));

// On paper charts are as wide as their columns (report.css), scaled: what is drawn anew just before printing stays empty in Chromium.
addEventListener("beforeprint", () => charts.forEach(({ plot }) => plot.style.zoom = Math.min(1, 340 / plot.clientWidth)));
addEventListener("afterprint", () => charts.forEach(({ plot }) => plot.style.zoom = ""));

for (const box of document.querySelectorAll(".legend input")) {
  box.addEventListener("change", () => {
    shownRuns[box.dataset.run] = box.checked;
    for (const chart of charts) {
      chart.graph?.updateOptions({ visibility: chart.series.map(one => shownRuns[one.run]) });
      chart.readout(null);
    }
  });
}

// Source, layer, head, region and gap: together the second half of a chart's name.
for (const form of document.querySelectorAll(".choosers")) {
  form.addEventListener("change", () => {
    const choice = [...form.querySelectorAll("select")].map(select => select.value).join("/");
    for (const chart of charts) {
      const [kind, measure] = chart.figure.dataset.chart.split("/");
      if (kind === "match") chart.show(`match/${measure}/${choice}`);
    }
  });
}

// Of each run the figure of the step on the slider, or the last one before it.
for (const group of document.querySelectorAll(".figures")) {
  const slider = group.querySelector("input");
  slider?.addEventListener("input", () => {
    const step = Number(slider.dataset.steps.split(",")[slider.value]);
    group.querySelector("output").textContent = step;
    slider.setAttribute("aria-valuetext", `step ${step}`);
    for (const run of group.querySelectorAll(".run")) {
      const shots = [...run.querySelectorAll("figure")];
      const shown = shots.findLast(shot => Number(shot.dataset.step) <= step) ?? shots[0];
      for (const shot of shots) shot.hidden = shot !== shown;
    }
  });
}

document.documentElement.dataset.ready = Math.round(performance.now());
