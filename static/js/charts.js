// Draws what runs/charts.py describes, as SVG by d3. Every <figure data-chart> names the
// element that holds its data (json_script). Keys: arrows go from point to point, Enter
// opens one, + - 0 zoom, Escape hides what is said. Exports are what is on the screen.
"use strict";
(() => {
  const SHAPES = { circle: d3.symbolCircle, square: d3.symbolSquare, diamond: d3.symbolDiamond, triangle: d3.symbolTriangle,
    cross: d3.symbolCross, star: d3.symbolStar, wye: d3.symbolWye };
  const STYLES = ["fill", "stroke", "stroke-width", "stroke-dasharray", "opacity", "font-family", "font-size", "font-weight", "text-anchor", "paint-order"];
  const language = document.documentElement.lang || "en";
  const plain = new Intl.NumberFormat(language, { maximumSignificantDigits: 7 });
  const whole = new Intl.NumberFormat(language, { maximumFractionDigits: 2 });
  const percent = new Intl.NumberFormat(language, { style: "percent", maximumSignificantDigits: 5 });
  const date = new Intl.DateTimeFormat(language, { dateStyle: "medium", timeStyle: "short", timeZone: "UTC" });
  const short = new Intl.NumberFormat(language, { notation: "compact", maximumSignificantDigits: 6 });
  const FORMATS = { short: (v) => (Math.abs(v) < 1e5 ? plain : short).format(v), plain: (v) => plain.format(v), count: (v) => whole.format(v), percent: (v) => percent.format(v), date: (v) => date.format(v) };
  const charts = new WeakMap();

  // The coarsest of year, month, day and hour that says where a tick is.
  const utc = (options) => new Intl.DateTimeFormat(language, { ...options, timeZone: "UTC" });
  const YEAR = utc({ year: "numeric" }), MONTH = utc({ month: "long" }), DAY = utc({ month: "short", day: "numeric" }), HOUR = utc({ timeStyle: "short" });
  const timeTick = (value) => {
    const at = new Date(value);
    if (at.getUTCHours() || at.getUTCMinutes()) return HOUR.format(at);
    if (at.getUTCDate() !== 1) return DAY.format(at);
    return (at.getUTCMonth() ? MONTH : YEAR).format(at);
  };

  const written = (axis, value) => (axis.kind === "band" ? value : axis.floor && value <= 0 ? "0" : FORMATS[axis.format || "plain"](value));
  const width = (text) => text.length * 6.3;
  const cut = (text, most) => (text.length > most ? `${text.slice(0, most - 1)}…` : text);

  class Chart {
    constructor(figure) {
      this.figure = figure;
      this.plot = figure.querySelector("[data-chart-plot]");
      this.spec = JSON.parse(document.getElementById(figure.dataset.chart).textContent);
      for (const name of ["series", "marks", "bands"]) this.spec[name] ||= [];
      this.series = this.spec.series.map((series, number) => ({ symbol: "circle", line: "none", interval: "y", ...series, number, shown: true,
        points: (series.points || []).map((point) => ({ ...point, x: this.value("x", point.x), y: this.value("y", point.y) })) }));
      this.at = null;
      this.transform = d3.zoomIdentity;
      this.tip = document.createElement("div");
      this.tip.className = "chart-tip";
      this.tip.hidden = true;
      this.figure.querySelector("[data-chart-tools]").hidden = this.plot.hidden = false;
      this.legend();
      this.draw();
      this.listen();
    }

    value(name, given) {
      const axis = this.spec[name];
      if (axis.kind === "band") return String(given);
      return axis.kind === "time" ? +new Date(given) : +given;
    }

    values(name) {
      const all = [];
      for (const series of this.series) {
        for (const point of series.points) {
          all.push(point[name]);
          if (series.interval === name) all.push(point.low, point.high);
        }
      }
      for (const mark of this.spec.marks) if (mark.axis === name) all.push(this.value(name, mark.at));
      for (const band of this.spec.bands) if (band.axis === name) all.push(this.value(name, band.start), this.value(name, band.end));
      return all.filter(Number.isFinite);
    }

    scale(name, range) {
      const axis = this.spec[name];
      if (axis.kind === "band") return d3.scaleBand(axis.categories || [], name === "y" ? [range[1], range[0]] : range).padding(0.15);
      const values = this.values(name);
      let [low, high] = axis.domain || [Math.min(...values), Math.max(...values)];
      if (!Number.isFinite(low)) [low, high] = [0, 1];
      if (axis.kind === "log") {
        low = axis.floor || Math.min(...values.filter((v) => v > 0));
        return d3.scaleLog([low, Math.max(high, low * 2) * (axis.domain ? 1 : 1.3)], range).clamp(false);
      }
      if (!axis.domain) {
        const bars = this.series.some((series) => series.bar);
        const room = (high - low || Math.abs(high) || 1) * 0.05;
        [low, high] = [axis.zero || (bars && axis.kind !== "time") ? Math.min(0, low) : low - room, high + room];
      }
      return (axis.kind === "time" ? d3.scaleUtc : d3.scaleLinear)([low, high], range);
    }

    ticks(name, scale, room) {
      const axis = this.spec[name];
      const count = Math.max(2, Math.floor(room / (name === "x" ? 80 : 38)));
      if (axis.kind === "band") return axis.categories || [];
      if (axis.kind !== "log") return scale.ticks(count).filter((value) => axis.format !== "count" || Number.isInteger(value));
      const [low, high] = scale.domain();
      const decades = Math.log10(high / low);
      const wanted = decades > count ? [1] : decades * 3 > count ? [1] : [1, 2, 5];
      const found = [];
      const step = Math.ceil(decades / count);
      for (let power = Math.floor(Math.log10(low)); power <= Math.ceil(Math.log10(high)); power++)
        for (const factor of wanted) {
          const value = Number((factor * 10 ** power).toPrecision(3));
          if (value >= low && value <= high && (wanted.length > 1 || power % step === 0)) found.push(value);
        }
      if (axis.floor && low <= axis.floor * 1.0001) return [axis.floor, ...found.filter((value) => value > low * 1.6)];
      return found.length > 1 ? found : scale.ticks(3);
    }

    tickText(name, scale, value) {
      const axis = this.spec[name];
      if (axis.kind === "band") return value;
      if (axis.kind === "log" && axis.floor && value === axis.floor) return "0";
      if (axis.kind === "time") return timeTick(value);
      return FORMATS[axis.format || "plain"](value);
    }

    place(name, scale, value, number) {
      if (this.spec[name].kind === "band") {
        const shown = this.series.filter((series) => series.shown);
        const order = shown.findIndex((series) => series.number === number);
        return scale(value) + scale.bandwidth() * (number === undefined ? 0.5 : (order + 0.5) / shown.length);
      }
      const floor = this.spec[name].kind === "log" ? this.spec[name].floor || scale.domain()[0] : -Infinity;
      return scale(Math.max(value, floor));
    }

    draw() {
      const { spec, plot } = this;
      const outer = Math.max(280, plot.clientWidth || 640);
      const height = spec.height || 300;
      const y = spec.y.kind === "band" ? (spec.y.categories || []) : [];
      const widest = y.length ? Math.min(outer * 0.4, Math.max(...y.map(width), 40) + 6) : 52;
      const tilt = spec.x.kind === "band" && (spec.x.categories || []).length * Math.max(...(spec.x.categories || [""]).map(width), 1) > outer - 120;
      const below = (tilt ? Math.min(110, 24 + 0.75 * Math.max(...spec.x.categories.map(width))) : 24) + (spec.x.label ? 18 : 0);
      const box = this.box = { left: widest + (spec.y.label ? 24 : 12), right: 14, top: 12, bottom: below, width: outer, height };
      const right = outer - box.right, bottom = height - box.bottom;
      let sx = this.scale("x", [box.left, right]), sy = this.scale("y", [bottom, box.top]);
      if (spec.zoom?.includes("x") && sx.invert) sx = this.transform.rescaleX(sx);
      if (spec.zoom?.includes("y") && sy.invert) sy = this.transform.rescaleY(sy);
      this.sx = sx; this.sy = sy;
      plot.textContent = "";
      const clip = `${this.figure.id}-clip`;
      const svg = this.svg = d3.select(plot).append("svg").attr("viewBox", `0 0 ${outer} ${height}`).attr("xmlns", "http://www.w3.org/2000/svg").attr("aria-hidden", "true")
        .classed("zoomed", this.transform.k > 1);
      svg.append("defs").append("clipPath").attr("id", clip).append("rect").attr("x", box.left - 7).attr("y", box.top - 7)
        .attr("width", right - box.left + 14).attr("height", bottom - box.top + 14);
      this.axis(svg, "x", sx, d3.axisBottom(sx), bottom, right - box.left, bottom - box.top, tilt);
      this.axis(svg, "y", sy, d3.axisLeft(sy), box.left, bottom - box.top, right - box.left, false);
      const area = svg.append("g").attr("clip-path", `url(#${clip})`);
      this.labels = [];
      for (const band of spec.bands) this.band(area, band, box, right, bottom);
      for (const mark of spec.marks) this.mark(area, mark, box, right, bottom);
      this.dots = [];
      for (const series of this.series) if (series.shown) this.one(area, series, bottom);
      this.label(area, box, right);
      this.here = area.append("circle").attr("class", "here").attr("r", 8).attr("visibility", "hidden");
      plot.append(this.tip);
      if (this.at) this.show(this.at, false);
      this.zooms(svg);
    }

    axis(svg, name, scale, axis, offset, room, across, tilt) {
      const { spec, box } = this;
      const ticks = this.ticks(name, scale, room);
      axis.tickValues(ticks).tickFormat((value) => cut(this.tickText(name, scale, value), name === "y" ? Math.ceil((box.left - 10) / 6.2) : 22)).tickSizeOuter(0);
      const vertical = name === "y";
      if (spec[name].kind !== "band") {
        const grid = (vertical ? d3.axisLeft(scale) : d3.axisBottom(scale)).tickValues(ticks).tickFormat("").tickSize(-across);
        svg.append("g").attr("class", "grid").attr("transform", vertical ? `translate(${offset},0)` : `translate(0,${offset})`).call(grid);
      }
      const drawn = svg.append("g").attr("class", "axis").attr("transform", vertical ? `translate(${offset},0)` : `translate(0,${offset})`).call(axis)
        .attr("font-size", null).attr("font-family", null);
      if (tilt) drawn.selectAll("text").attr("transform", "rotate(-40)").attr("text-anchor", "end").attr("dx", "-0.5em").attr("dy", "0.3em");
      if (spec[name].kind === "band") drawn.selectAll(".tick").append("title").text((value) => value);
      if (!spec[name].label) return;
      const label = svg.append("text").attr("class", "axis-label").attr("text-anchor", "middle").text(spec[name].label);
      if (vertical) label.attr("transform", `translate(11,${(box.top + box.height - box.bottom) / 2}) rotate(-90)`);
      else label.attr("x", (box.left + box.width - box.right) / 2).attr("y", box.height - 5);
    }

    band(area, band, box, right, bottom) {
      const scale = band.axis === "x" ? this.sx : this.sy;
      const [from, to] = [scale(this.value(band.axis, band.start)), scale(this.value(band.axis, band.end))].sort((a, b) => a - b);
      const group = area.append("g").attr("class", `c-${band.tone || "muted"}`);
      const rect = group.append("rect").attr("class", "band-shape");
      if (band.axis === "x") rect.attr("x", from).attr("width", to - from).attr("y", box.top).attr("height", bottom - box.top);
      else rect.attr("y", from).attr("height", to - from).attr("x", box.left).attr("width", right - box.left);
      if (band.label) group.append("text").attr("class", "band-label").attr("x", band.axis === "x" ? from + 4 : right - 4).attr("y", band.axis === "x" ? box.top + 12 : from + 12)
        .attr("text-anchor", band.axis === "x" ? "start" : "end").text(band.label);
    }

    mark(area, mark, box, right, bottom) {
      const scale = mark.axis === "x" ? this.sx : this.sy;
      const at = this.place(mark.axis, scale, this.value(mark.axis, mark.at));
      const group = area.append("g").attr("class", `mark c-${mark.tone || "muted"}`);
      const line = group.append("line").attr("class", mark.line || "dashed");
      if (mark.axis === "x") line.attr("x1", at).attr("x2", at).attr("y1", box.top).attr("y2", bottom);
      else line.attr("x1", box.left).attr("x2", right).attr("y1", at).attr("y2", at);
      if (!mark.label) return;
      this.labels.push({ axis: mark.axis, at, tone: mark.tone || "muted", text: cut(mark.label, 40) });
    }

    // Over everything else, and never over each other: what lies too near is left out.
    label(area, box, right) {
      const said = { x: [], y: [] };
      const group = area.append("g").attr("class", "labels");
      for (const { axis, at, tone, text } of this.labels) {
        if (said[axis].some((other) => Math.abs(other - at) < 12)) continue;
        said[axis].push(at);
        const label = group.append("text").attr("class", `mark-label c-${tone}`).text(text).attr("text-anchor", "end");
        if (axis === "x") label.attr("transform", `translate(${at - 4},${box.top + 2}) rotate(-90)`);
        else label.attr("x", right - 2).attr("y", at - 4);
      }
    }

    one(area, series, bottom) {
      const { sx, sy, spec } = this;
      const group = area.append("g").attr("class", `series c-${series.colour || "1"}`);
      const x = (point) => this.place("x", sx, point.x, series.number), y = (point) => this.place("y", sy, point.y, series.number);
      if (series.bar) this.bars(group, series, x, y, bottom);
      if (series.line !== "none") {
        const path = d3.line(x, y).defined((point) => spec.y.kind === "band" || Number.isFinite(point.y));
        if (series.line === "step") path.curve(d3.curveStepAfter);
        group.append("path").attr("class", `path ${series.line}`).attr("d", path(series.points));
      }
      const size = series.points.length > 400 ? 22 : 52;
      const glyphs = new Map();
      const glyphOf = (name) => {
        if (!glyphs.has(name)) glyphs.set(name, SHAPES[name] && d3.symbol(SHAPES[name], size)());
        return glyphs.get(name);
      };
      for (const point of series.points) {
        const px = x(point), py = y(point);
        if (!Number.isFinite(px) || !Number.isFinite(py)) continue;
        this.dots.push({ series, point, px, py });
        if (point.low !== undefined && point.high !== undefined) this.whisker(group, series, point, px, py);
        const glyph = glyphOf(point.symbol || series.symbol);
        if (glyph) {
          const zero = ["x", "y"].some((name) => spec[name].kind === "log" && point[name] <= 0);
          const symbol = group.append("path").attr("class", `symbol${series.hollow || zero ? " hollow" : ""}`).attr("d", glyph).attr("transform", `translate(${px},${py})`);
          if (point.href) symbol.attr("data-href", point.href);
        }
        if (point.tone) group.append("g").attr("class", `c-${point.tone}`).append("circle").attr("class", "ring").attr("r", 7.5).attr("cx", px).attr("cy", py);
      }
    }

    bars(group, series, x, y, bottom) {
      const upright = this.spec.y.kind !== "band";
      const band = upright ? this.sx : this.sy;
      const shown = this.series.filter((other) => other.shown).length;
      const thick = band.bandwidth ? band.bandwidth() / shown : Math.max(2, (this.box.width - this.box.left) / Math.max(1, series.points.length) * 0.8);
      for (const point of series.points) {
        const bar = group.append("rect").attr("class", "bar-shape");
        if (upright) bar.attr("x", x(point) - thick * 0.45).attr("width", thick * 0.9).attr("y", Math.min(bottom, y(point))).attr("height", Math.abs(bottom - y(point)));
        else bar.attr("y", y(point) - thick * 0.45).attr("height", thick * 0.9).attr("x", this.box.left).attr("width", Math.max(0, x(point) - this.box.left));
      }
    }

    whisker(group, series, point, px, py) {
      const name = series.interval, scale = name === "x" ? this.sx : this.sy;
      const [low, high] = [this.place(name, scale, point.low), this.place(name, scale, point.high)];
      const line = (x1, y1, x2, y2) => group.append("line").attr("class", "whisker").attr("x1", x1).attr("y1", y1).attr("x2", x2).attr("y2", y2);
      if (name === "x") { line(low, py, high, py); line(low, py - 4, low, py + 4); line(high, py - 4, high, py + 4); }
      else { line(px, low, px, high); line(px - 4, low, px + 4, low); line(px - 4, high, px + 4, high); }
    }

    legend() {
      const list = this.figure.querySelector("[data-chart-legend]");
      list.textContent = "";
      list.hidden = this.series.length < 2;
      for (const series of this.series) {
        const button = document.createElement("button");
        button.type = "button";
        button.setAttribute("aria-pressed", "true");
        const svg = d3.select(button).append("svg").attr("viewBox", "0 0 26 14").attr("aria-hidden", "true").attr("class", `c-${series.colour || "1"}`);
        this.key(svg, series);
        button.append(series.name);
        button.addEventListener("click", () => {
          series.shown = !series.shown;
          button.setAttribute("aria-pressed", String(series.shown));
          this.at = null;
          this.draw();
        });
        const item = document.createElement("li");
        item.append(button);
        list.append(item);
      }
    }

    key(svg, series) {
      if (series.line !== "none") svg.append("line").attr("class", `path ${series.line}`).attr("x1", 1).attr("x2", 25).attr("y1", 7).attr("y2", 7);
      if (series.bar) svg.append("rect").attr("class", "bar-shape").attr("x", 5).attr("y", 2).attr("width", 16).attr("height", 10);
      else if (SHAPES[series.symbol]) svg.append("path").attr("class", `symbol${series.hollow ? " hollow" : ""}`).attr("d", d3.symbol(SHAPES[series.symbol], 48)()).attr("transform", "translate(13,7)");
    }

    said({ series, point }) {
      const { x, y } = this.spec;
      const lines = [this.series.length > 1 ? series.name : "", point.text || `${x.label || "x"}: ${written(x, point.x)}\n${y.label || "y"}: ${written(y, point.y)}`];
      if (!point.text && point.low !== undefined) lines.push(`${written(this.spec[series.interval], point.low)} – ${written(this.spec[series.interval], point.high)}`);
      return lines.filter(Boolean).join("\n");
    }

    show(dot, aloud) {
      const found = this.dots.find((other) => other.point === dot.point && other.series === dot.series);
      if (!found) return this.hide();
      this.at = found;
      this.here.attr("cx", found.px).attr("cy", found.py).attr("visibility", "visible");
      this.tip.textContent = this.said(found);
      this.tip.hidden = false;
      const by = this.plot.clientWidth / this.box.width || 1;
      const left = found.px * by, top = found.py * by;
      this.tip.style.left = `${Math.max(0, Math.min(left + 12, this.plot.clientWidth - this.tip.offsetWidth))}px`;
      this.tip.style.top = `${top - this.tip.offsetHeight - 12 < -40 ? top + 14 : top - this.tip.offsetHeight - 12}px`;
      const announcer = document.getElementById("announcer");
      if (aloud && announcer) announcer.textContent = this.tip.textContent;
    }

    hide() {
      this.at = null;
      this.tip.hidden = true;
      this.here?.attr("visibility", "hidden");
    }

    nearest(event) {
      const bounds = this.svg.node().getBoundingClientRect();
      const by = this.box.width / bounds.width;
      const px = (event.clientX - bounds.left) * by, py = (event.clientY - bounds.top) * by;
      let best = null, least = 28 ** 2;
      for (const dot of this.dots) {
        const far = (dot.px - px) ** 2 + (dot.py - py) ** 2;
        if (far < least) [best, least] = [dot, far];
      }
      return best;
    }

    listen() {
      const { plot } = this;
      plot.addEventListener("pointermove", (event) => { const dot = this.nearest(event); if (dot) this.show(dot, false); else this.hide(); });
      plot.addEventListener("pointerleave", () => this.hide());
      plot.addEventListener("blur", () => this.hide());
      plot.addEventListener("click", (event) => { const dot = this.nearest(event); if (dot?.point.href) location.assign(dot.point.href); });
      plot.addEventListener("keydown", (event) => this.keyed(event));
      for (const button of this.figure.querySelectorAll("[data-zoom]")) button.addEventListener("click", () => this.zoomBy(button.dataset.zoom));
      for (const button of this.figure.querySelectorAll("[data-export]")) button.addEventListener("click", () => this.take(button.dataset.export));
      let known = plot.clientWidth;
      new ResizeObserver(() => { if (plot.clientWidth && plot.clientWidth !== known) { known = plot.clientWidth; this.draw(); } }).observe(plot);
    }

    keyed(event) {
      if (event.altKey || event.ctrlKey || event.metaKey) return;
      const steps = { ArrowRight: 1, ArrowLeft: -1, ArrowDown: 1, ArrowUp: -1 };
      if (event.key in steps) this.step(event.key, steps[event.key]);
      else if (event.key === "Home" || event.key === "End") this.show(this.dots.at(event.key === "Home" ? 0 : -1), true);
      else if (event.key === "Enter" && this.at?.point.href) location.assign(this.at.point.href);
      else if (event.key === "Escape" && this.at) this.hide();
      else if (this.spec.zoom && "+=-0".includes(event.key)) this.zoomBy({ "+": "in", "=": "in", "-": "out", 0: "reset" }[event.key]);
      else return;
      event.preventDefault();
    }

    step(key, by) {
      if (!this.dots.length) return;
      if (!this.at) return this.show(this.dots[0], true);
      const along = this.spec.y.kind === "band" ? ["ArrowUp", "ArrowDown"] : ["ArrowLeft", "ArrowRight"];
      const same = this.dots.filter((dot) => dot.series === this.at.series);
      if (along.includes(key)) {
        const next = same[same.findIndex((dot) => dot.point === this.at.point) + by];
        if (next) this.show(next, true);
        return;
      }
      const shown = this.series.filter((series) => series.shown && series.points.length);
      const other = shown[(shown.indexOf(this.at.series) + by + shown.length) % shown.length];
      const there = this.dots.filter((dot) => dot.series === other);
      const far = (dot) => (dot.px - this.at.px) ** 2 + (dot.py - this.at.py) ** 2;
      this.show(there.reduce((best, dot) => (far(dot) < far(best) ? dot : best)), true);
    }

    zooms(svg) {
      if (!this.spec.zoom) return;
      const { box } = this;
      // The wheel scrolls the page unless a key is held; a finger does until it is zoomed.
      this.zoom = d3.zoom().scaleExtent([1, 200]).extent([[box.left, box.top], [box.width - box.right, box.height - box.bottom]])
        .translateExtent([[box.left, box.top], [box.width - box.right, box.height - box.bottom]])
        .filter((event) => !event.button && (event.type === "wheel" ? event.ctrlKey || event.shiftKey || event.metaKey
          : !event.type.startsWith("touch") || event.touches.length > 1 || this.transform.k > 1))
        .on("zoom", (event) => { if (!event.sourceEvent) return; this.transform = event.transform; this.soon(); });
      svg.call(this.zoom).on("dblclick.zoom", null);
      svg.node().__zoom = this.transform;
    }

    soon() {
      this.waiting ||= requestAnimationFrame(() => { this.waiting = 0; this.redraw(); });
    }

    // The drawing that is dragged must stay in the page, so only its content is renewed.
    redraw() {
      const old = this.svg.node();
      this.draw();
      const fresh = this.svg.node();
      old.replaceChildren(...fresh.childNodes);
      fresh.replaceWith(old);
      this.svg = d3.select(old).classed("zoomed", this.transform.k > 1);
      old.__zoom = this.transform;
    }

    zoomBy(way) {
      const { box } = this;
      if (way === "reset") this.transform = d3.zoomIdentity;
      else {
        const k = Math.max(1, Math.min(200, this.transform.k * (way === "in" ? 1.6 : 1 / 1.6)));
        const [cx, cy] = [(box.left + box.width - box.right) / 2, (box.top + box.height - box.bottom) / 2];
        const [mx, my] = this.transform.invert([cx, cy]);
        const within = (at, low, high, size) => Math.min(low * (1 - k), Math.max(high * (1 - k), at - k * size));
        this.transform = d3.zoomIdentity.translate(within(cx, box.left, box.width - box.right, mx), within(cy, box.top, box.height - box.bottom, my)).scale(k);
      }
      this.draw();
    }

    // A drawing by itself: computed styles written into it, with title and legend.
    alone() {
      this.hide();
      const from = this.svg.node(), copy = from.cloneNode(true);
      const sources = [from, ...from.querySelectorAll("*")], targets = [copy, ...copy.querySelectorAll("*")];
      const inlined = (source, target) => {
        const style = getComputedStyle(source);
        for (const name of STYLES) target.setAttribute(name, style.getPropertyValue(name));
      };
      sources.forEach((source, number) => inlined(source, targets[number]));
      const { width: wide, height } = this.box, ground = getComputedStyle(this.figure);
      const surface = getComputedStyle(document.documentElement).getPropertyValue("--surface");
      const paint = document.createElement("span");
      paint.style.color = surface; this.figure.append(paint);
      const fill = getComputedStyle(paint).color; paint.remove();
      const shown = this.series.filter((series) => series.shown), rows = this.series.length > 1 ? shown.length : 0;
      const outer = document.createElementNS("http://www.w3.org/2000/svg", "svg");
      const root = d3.select(outer).attr("xmlns", "http://www.w3.org/2000/svg").attr("width", wide).attr("height", height + 34 + 18 * rows)
        .attr("viewBox", `0 0 ${wide} ${height + 34 + 18 * rows}`).attr("font-family", ground.fontFamily).attr("font-size", 12);
      root.append("rect").attr("width", "100%").attr("height", "100%").attr("fill", fill);
      root.append("text").attr("x", 12).attr("y", 22).attr("font-size", 15).attr("font-weight", 600).attr("fill", ground.color).text(this.spec.title);
      copy.setAttribute("y", 30); copy.setAttribute("width", wide); copy.setAttribute("height", height);
      outer.append(copy);
      const keys = [...this.figure.querySelectorAll("[data-chart-legend] svg")];
      if (rows) shown.forEach((series, row) => {
        const sample = keys[series.number], key = sample.cloneNode(true);
        [...sample.querySelectorAll("*")].forEach((source, number) => inlined(source, key.querySelectorAll("*")[number]));
        for (const [name, value] of [["x", 12], ["y", height + 30 + 18 * row], ["width", 26], ["height", 14]]) key.setAttribute(name, value);
        outer.append(key);
        root.append("text").attr("x", 44).attr("y", height + 42 + 18 * row).attr("fill", ground.color).text(series.name);
      });
      return { text: new XMLSerializer().serializeToString(outer), width: wide, height: height + 34 + 18 * rows };
    }

    async take(kind) {
      const { text, width: wide, height } = this.alone();
      if (kind === "svg") return keep(new Blob([text], { type: "image/svg+xml" }), `${this.figure.id}.svg`);
      const image = new Image();
      image.src = `data:image/svg+xml;charset=utf-8,${encodeURIComponent(text)}`;
      await image.decode();
      const canvas = document.createElement("canvas");
      [canvas.width, canvas.height] = [wide * 2, height * 2];
      canvas.getContext("2d").drawImage(image, 0, 0, canvas.width, canvas.height);
      return canvas.toBlob((blob) => keep(blob, `${this.figure.id}.png`), "image/png");
    }
  }

  const keep = (blob, name) => {
    const link = Object.assign(document.createElement("a"), { href: URL.createObjectURL(blob), download: name });
    document.body.append(link);
    link.click();
    link.remove();
    setTimeout(() => URL.revokeObjectURL(link.href), 10000);
  };

  // Drawn when they come near, or all before printing.
  const make = (figure) => {
    if (charts.has(figure) || !figure.isConnected) return;
    near.unobserve(figure);
    charts.set(figure, new Chart(figure));
  };
  const near = new IntersectionObserver((entries) => { for (const entry of entries) if (entry.isIntersecting) make(entry.target); }, { rootMargin: "500px" });
  const look = (root) => { for (const figure of root.querySelectorAll("[data-chart]")) if (!charts.has(figure)) near.observe(figure); };
  look(document);
  // What is in view is drawn before the next frame, so that nothing below it jumps.
  document.addEventListener("vcbench:renewed", () => {
    for (const figure of document.querySelectorAll("[data-chart]")) {
      const { top, bottom } = figure.getBoundingClientRect();
      if (bottom > 0 && top < innerHeight) make(figure);
    }
    look(document);
  });
  addEventListener("beforeprint", () => { for (const figure of document.querySelectorAll("[data-chart]")) make(figure); });
})();
