// <stroke-editor>: shows a sketch, moves it while it is made, and lets people change its strokes.
//
// `mode` is view, edit (drag strokes and points) or draw (the pen leaves a line). Each change is a
// new list of strokes, and undo goes back through the lists. Events: `change` after each of them,
// `pick` when another stroke is selected, `line` with the points of a line that was drawn.

import { alike, between, dress, inkOf, make, middle } from "./curves.js";

const STEP = 1, FAR = 8; // px of the sketch that an arrow key moves by
const ARROWS = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };
const TWEEN = 420; // ms
const AROUND = 14; // px of the screen around a stroke's ink that are its own
const calm = matchMedia("(prefers-reduced-motion: reduce)");

export class StrokeEditor extends HTMLElement {
  #sketch = null; // without its strokes' changes
  #strokes = []; // as they are now: {id, points, width, color, opacity, edited}
  #past = [];
  #future = [];
  #selected = null; // the id of a stroke
  #next = 1;
  #frame = 0;
  #drag = null;
  #pen = null;
  #groups = new Map();
  #kept = this.#strokes; // the list that the studio has

  connectedCallback() {
    if (this.svg) return;
    this.svg = make("svg", { role: "group", "aria-label": "The sketch" });
    this.layer = make("g");
    this.handles = make("g");
    this.svg.append(this.layer, this.handles);
    this.append(this.svg);
    this.svg.addEventListener("pointerdown", (event) => this.#down(event));
    this.svg.addEventListener("pointermove", (event) => this.#move(event));
    this.svg.addEventListener("pointerup", (event) => this.#up(event));
    this.svg.addEventListener("pointercancel", (event) => this.#up(event));
    this.svg.addEventListener("keydown", (event) => this.#key(event));
    this.svg.addEventListener("focusin", (event) => this.#focus(event));
    new ResizeObserver(() => {
      for (const stroke of this.#strokes) this.#dress(stroke);
      this.#drawHandles();
    }).observe(this);
  }

  get mode() { return this.getAttribute("mode") || "view"; }

  set mode(mode) {
    this.setAttribute("mode", mode);
    if (mode === "view") this.select(null);
    this.#draw();
  }

  get empty() { return !this.#strokes.length; }
  get count() { return this.#strokes.length; }
  get changed() { return this.#strokes !== this.#kept; }
  get undoable() { return this.#past.length > 0; }
  get redoable() { return this.#future.length > 0; }
  get selected() { return this.#selected; }
  get degree() { return this.#sketch?.degree ?? 3; }
  get segments() { return this.empty ? 1 : (this.#strokes[0].points.length - 1) / this.degree; }

  // Numbers, from 1, of the strokes that were drawn or changed.
  get edited() {
    return this.#strokes.flatMap((stroke, k) => (stroke.edited ? [k + 1] : []));
  }

  // The sketch as it is now, as `clipasso export` writes JSON.
  get sketch() {
    if (!this.#sketch) return null;
    const strokes = this.#strokes.map(({ points, width, color, opacity }) =>
      ({ points, width, color, opacity }));
    return { ...this.#sketch, strokes };
  }

  // Shows another sketch; what was changed before is forgotten.
  show(sketch, edited = []) {
    cancelAnimationFrame(this.#frame);
    this.#sketch = sketch;
    this.#strokes = (sketch?.strokes ?? []).map((stroke, k) =>
      ({ ...stroke, id: this.#next++, edited: edited.includes(k + 1) }));
    this.#kept = this.#strokes;
    this.#past = [];
    this.#future = [];
    this.#selected = null;
    this.#draw();
    this.#tell("change");
  }

  // The studio has it as it is now.
  kept() { this.#kept = this.#strokes; }

  // Shows a state on the way, moving there from the one before.
  follow(sketch) {
    const from = this.sketch, began = performance.now();
    if (!alike(from, sketch) || calm.matches) {
      this.show(sketch);
      return;
    }
    cancelAnimationFrame(this.#frame);
    const step = (now) => {
      const part = Math.min(1, (now - began) / TWEEN);
      between(from, sketch, part).forEach((stroke, k) => Object.assign(this.#strokes[k], stroke));
      for (const stroke of this.#strokes) this.#dress(stroke);
      if (part < 1) this.#frame = requestAnimationFrame(step);
    };
    this.#sketch = { ...sketch, strokes: [] };
    this.#strokes = this.#strokes.map((stroke) => ({ ...stroke }));
    this.#kept = this.#strokes;
    this.#past = [];
    this.#future = [];
    this.#frame = requestAnimationFrame(step);
  }

  select(id, focus = false) {
    const other = id !== this.#selected;
    this.#selected = id;
    for (const [key, group] of this.#groups) {
      group.classList.toggle("selected", key === id);
      if (this.mode !== "view") group.setAttribute("aria-pressed", String(key === id));
    }
    this.#drawHandles();
    if (focus) this.#groups.get(id)?.focus();
    if (other) this.#tell("pick");
  }

  // Adds strokes: lists of points.
  add(chains) {
    const like = this.#strokes[0] ?? { width: 3, color: [0, 0, 0], opacity: 1 };
    const width = median(this.#strokes.map((stroke) => stroke.width)) ?? like.width;
    const made = chains.map((points) => ({
      points, width, color: like.color, opacity: like.opacity, id: this.#next++, edited: true,
    }));
    this.#become([...this.#strokes, ...made]);
  }

  // Lays a straight stroke in the middle, to be moved by its points.
  lay() {
    const [width, height] = this.#sketch.size, last = this.degree * this.segments;
    const points = Array.from({ length: last + 1 }, (_, n) => [width * (0.35 + 0.3 * n / last), height / 2]);
    this.add([points]);
    this.select(this.#strokes.at(-1).id, true);
  }

  delete() {
    const at = this.#strokes.findIndex((stroke) => stroke.id === this.#selected);
    if (at < 0 || this.#strokes.length < 2) return;
    const left = this.#strokes.filter((_, k) => k !== at);
    this.#become(left);
    this.select(left[Math.min(at, left.length - 1)].id, true);
  }

  undo() { this.#step(this.#past, this.#future); }
  redo() { this.#step(this.#future, this.#past); }

  #step(from, to) {
    if (!from.length) return;
    const focused = this.svg.contains(document.activeElement);
    to.push(this.#strokes);
    this.#strokes = from.pop();
    if (!this.#strokes.some((stroke) => stroke.id === this.#selected)) this.#selected = null;
    this.#draw();
    if (focused) this.#groups.get(this.#selected ?? this.#strokes[0]?.id)?.focus();
    this.#tell("change");
  }

  #become(strokes, before = this.#strokes) {
    this.#past.push(before);
    this.#future = [];
    this.#strokes = strokes;
    this.#draw();
    this.#tell("change");
  }

  #tell(kind, detail) {
    this.dispatchEvent(new CustomEvent(kind, { detail }));
  }

  #draw() {
    if (!this.svg) return;
    const [width, height] = this.#sketch?.size ?? [1, 1];
    this.svg.setAttribute("viewBox", `0 0 ${width} ${height}`);
    const editing = this.mode !== "view";
    this.svg.setAttribute("role", editing ? "group" : "img");
    this.svg.setAttribute("aria-label", `The sketch, ${this.count} strokes`);
    const focused = document.activeElement?.dataset?.stroke;
    this.#groups.clear();
    this.layer.replaceChildren(...this.#strokes.map((stroke, k) => {
      const group = make("g", { class: "stroke", "data-stroke": stroke.id });
      group.append(make("path", { class: "halo" }), inkOf(stroke, this.degree), make("path", { class: "hit" }));
      if (editing) {
        group.setAttribute("tabindex", "0");
        group.setAttribute("role", "button");
        group.setAttribute("aria-label", this.#name(stroke, k));
        group.setAttribute("aria-pressed", String(stroke.id === this.#selected));
      }
      this.#groups.set(stroke.id, group);
      this.#dress(stroke, group);
      return group;
    }));
    this.select(this.#selected);
    if (focused) this.#groups.get(Number(focused))?.focus();
  }

  #dress(stroke, group = this.#groups.get(stroke.id)) {
    const [halo, ink, hit] = group.children;
    dress(ink, stroke, this.degree);
    for (const path of [halo, hit]) {
      path.setAttribute("d", ink.getAttribute("d"));
      path.setAttribute("stroke-width", stroke.width + AROUND * this.#scale());
    }
    group.classList.toggle("edited", Boolean(stroke.edited));
    group.classList.toggle("selected", stroke.id === this.#selected);
  }

  #name(stroke, k) {
    const [x, y] = middle(stroke, this.degree).map((value, axis) => value / this.#sketch.size[axis]);
    const down = y < 1 / 3 ? "upper" : y > 2 / 3 ? "lower" : "middle";
    const across = x < 1 / 3 ? "left" : x > 2 / 3 ? "right" : "centre";
    return `Stroke ${k + 1} of ${this.count}, ${down} ${across}${stroke.edited ? ", changed" : ""}`;
  }

  #scale() { // px of the sketch for one of the screen
    const box = this.svg.getBoundingClientRect();
    return box.width ? (this.#sketch?.size[0] ?? 1) / box.width : 1;
  }

  #drawHandles() {
    if (!this.svg) return;
    const stroke = this.#strokes.find((one) => one.id === this.#selected);
    if (!stroke || this.mode !== "edit") {
      this.handles.replaceChildren();
      return;
    }
    const scale = this.#scale(), points = stroke.points, degree = this.degree;
    const kept = document.activeElement?.dataset?.point;
    const coarse = matchMedia("(pointer: coarse)").matches;
    const line = make("polyline", { class: "polygon", points: points.map((p) => p.join(",")).join(" ") });
    const knobs = points.map(([x, y], n) => {
      const end = n % degree === 0;
      const handle = make("g", {
        class: `handle${end ? " end" : ""}`, tabindex: "0", role: "button", "data-point": n,
        "aria-label": `Point ${n + 1} of ${points.length}, at ${Math.round(x)}, ${Math.round(y)}`,
        transform: `translate(${x} ${y})`,
      });
      handle.append(make("circle", { class: "reach", r: (coarse ? 20 : 11) * scale }),
        make("circle", { class: "knob", r: (end ? 5.5 : 4.5) * scale }));
      return handle;
    });
    this.handles.replaceChildren(line, ...knobs);
    if (kept !== undefined) knobs[Number(kept)]?.focus();
  }

  #at(event) {
    const box = this.svg.getBoundingClientRect(), [width, height] = this.#sketch.size;
    return [(event.clientX - box.left) / box.width * width, (event.clientY - box.top) / box.height * height];
  }

  #down(event) {
    if (!this.#sketch || event.button > 0) return;
    if (this.mode === "draw") {
      this.#pen = [this.#at(event)];
      this.penPath = make("polyline", { class: "pen" });
      this.svg.append(this.penPath);
    } else if (this.mode === "edit") {
      const handle = event.target.closest(".handle"), group = event.target.closest(".stroke");
      if (group) this.select(Number(group.dataset.stroke), true);
      if (!handle && !group) {
        this.select(null);
        return;
      }
      if (handle) handle.focus();
      const point = handle ? Number(handle.dataset.point) : null;
      this.#drag = { point, from: this.#at(event), before: this.#strokes, moved: false };
    } else return;
    event.preventDefault();
    this.svg.setPointerCapture(event.pointerId);
  }

  #move(event) {
    if (this.#pen) {
      const some = event.getCoalescedEvents?.() ?? [];
      for (const one of some.length ? some : [event]) this.#pen.push(this.#at(one));
      this.penPath.setAttribute("points", this.#pen.map((point) => point.join(",")).join(" "));
    } else if (this.#drag) {
      const [x, y] = this.#at(event), [x0, y0] = this.#drag.from;
      if (!this.#drag.moved && Math.hypot(x - x0, y - y0) < 2 * this.#scale()) return;
      this.#drag.moved = true;
      this.#shift(this.#drag.before, this.#drag.point, x - x0, y - y0);
    }
  }

  #up(event) {
    if (this.#pen) {
      const line = this.#pen;
      this.#pen = null;
      this.penPath.remove();
      if (event.type === "pointerup" && line.length > 1) this.#tell("line", line);
    } else if (this.#drag) {
      const { before, moved } = this.#drag;
      this.#drag = null;
      if (moved) this.#become(this.#strokes, before);
    }
  }

  // Moves the selected stroke, or one of its points, from where a list of strokes has it.
  #shift(before, point, dx, dy) {
    const [width, height] = this.#sketch.size;
    this.#strokes = before.map((stroke) => (stroke.id !== this.#selected ? stroke : {
      ...stroke, edited: true,
      points: stroke.points.map(([x, y], n) => (point === null || point === n
        ? [held(x + dx, width), held(y + dy, height)] : [x, y])),
    }));
    const now = this.#strokes.find((stroke) => stroke.id === this.#selected);
    if (now) this.#dress(now);
    this.#drawHandles();
  }

  #focus(event) {
    const group = event.target.closest(".stroke");
    if (group && this.mode === "edit" && !this.#drag) this.select(Number(group.dataset.stroke));
  }

  #key(event) {
    if (this.mode !== "edit") return;
    const arrow = ARROWS[event.key], handle = event.target.closest(".handle");
    const group = event.target.closest(".stroke");
    if (arrow && (handle || group)) {
      const far = (event.shiftKey ? FAR : STEP) * Math.max(...this.#sketch.size) / 224;
      const before = this.#strokes;
      this.#shift(before, handle ? Number(handle.dataset.point) : null, arrow[0] * far, arrow[1] * far);
      this.#become(this.#strokes, before);
    } else if (event.key === "Delete" || event.key === "Backspace") this.delete();
    else if ((event.key === "Enter" || event.key === " ") && group) {
      this.select(Number(group.dataset.stroke));
      this.handles.querySelector(".handle")?.focus();
    } else if (event.key === "Escape" && handle) this.#groups.get(this.#selected)?.focus();
    else return;
    event.preventDefault();
  }
}

// A point may be pulled a little beyond the canvas, where the photo ends.
function held(value, side) {
  return Math.min(Math.max(value, -side / 8), side * 1.125);
}

function median(values) {
  return values.length ? [...values].sort((a, b) => a - b)[Math.floor(values.length / 2)] : null;
}

customElements.define("stroke-editor", StrokeEditor);
