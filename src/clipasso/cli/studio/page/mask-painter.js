// <mask-painter>: shows what of a photo is drawn, and lets people repair that with a brush or a box.
//
// The mask is kept as opacity on a canvas as large as the photo's picture. `begin` starts a repair,
// `picture` gives what was painted as a PNG file, white where the object is.

const STEP = 6; // px of the photo that an arrow key moves the brush by
const KEPT = 12; // states to go back to
const ARROWS = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };

export class MaskPainter extends HTMLElement {
  tool = "add"; // or erase, box
  size = 36; // px of the photo's picture, the brush's diameter
  #mask = document.createElement("canvas");
  #before = null;
  #past = [];
  #last = null;
  #corner = null;
  #cursor = null;
  #penDown = false;

  connectedCallback() {
    if (this.canvas) return;
    this.canvas = document.createElement("canvas");
    this.append(this.canvas);
    this.canvas.addEventListener("pointerdown", (event) => this.#down(event));
    this.canvas.addEventListener("pointermove", (event) => this.#move(event));
    this.canvas.addEventListener("pointerup", (event) => this.#up(event));
    this.canvas.addEventListener("pointercancel", () => { this.#last = this.#corner = null; this.#draw(); });
    this.canvas.addEventListener("pointerleave", () => { if (!this.#last && !this.#corner) { this.#cursor = null; this.#draw(); } });
    this.canvas.addEventListener("keydown", (event) => this.#key(event));
    matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => this.#draw());
  }

  get painting() { return this.hasAttribute("painting"); }

  // Shows a mask, a picture that is white where the object is.
  async show(url, width, height) {
    const image = new Image();
    image.src = url;
    await image.decode();
    for (const canvas of [this.#mask, this.canvas]) [canvas.width, canvas.height] = [width, height];
    const context = this.#mask.getContext("2d", { willReadFrequently: true });
    context.drawImage(image, 0, 0, width, height);
    const pixels = context.getImageData(0, 0, width, height);
    for (let k = 0; k < pixels.data.length; k += 4) {
      pixels.data[k + 3] = pixels.data[k] > 127 ? 255 : 0;
      pixels.data[k] = pixels.data[k + 1] = pixels.data[k + 2] = 255;
    }
    context.putImageData(pixels, 0, 0);
    this.#past = [];
    this.#draw();
  }

  begin() {
    this.#before = this.#copy();
    this.#past = [];
    this.toggleAttribute("painting", true);
    this.canvas.tabIndex = 0;
    this.canvas.setAttribute("role", "application");
    this.canvas.setAttribute("aria-label", "The mask. Arrows move the brush, Space puts it down and lifts it.");
    this.#draw();
  }

  end(keep) {
    if (!keep && this.#before) this.#restore(this.#before);
    this.#before = this.#cursor = this.#last = this.#corner = null;
    this.#penDown = false;
    this.toggleAttribute("painting", false);
    this.canvas.removeAttribute("tabindex");
    this.canvas.removeAttribute("role");
    this.#draw();
  }

  undo() {
    const state = this.#past.pop();
    if (state) this.#restore(state);
    this.#draw();
  }

  picture() {
    const { width, height } = this.#mask;
    const context = this.#mask.getContext("2d"), flat = document.createElement("canvas");
    [flat.width, flat.height] = [width, height];
    const pixels = context.getImageData(0, 0, width, height);
    for (let k = 0; k < pixels.data.length; k += 4) {
      const value = pixels.data[k + 3] > 127 ? 255 : 0;
      pixels.data.fill(value, k, k + 3);
      pixels.data[k + 3] = 255;
    }
    flat.getContext("2d").putImageData(pixels, 0, 0);
    return new Promise((done) => flat.toBlob(done, "image/png"));
  }

  #copy() {
    const copy = document.createElement("canvas");
    [copy.width, copy.height] = [this.#mask.width, this.#mask.height];
    if (copy.width && copy.height) copy.getContext("2d").drawImage(this.#mask, 0, 0);
    return copy;
  }

  #restore(copy) {
    const context = this.#mask.getContext("2d");
    context.clearRect(0, 0, this.#mask.width, this.#mask.height);
    context.drawImage(copy, 0, 0);
  }

  #remember() {
    this.#past.push(this.#copy());
    if (this.#past.length > KEPT) this.#past.shift();
  }

  #at(event) {
    const box = this.canvas.getBoundingClientRect();
    return [(event.clientX - box.left) / box.width * this.canvas.width,
      (event.clientY - box.top) / box.height * this.canvas.height];
  }

  #down(event) {
    if (!this.painting || event.button > 0) return;
    event.preventDefault();
    this.canvas.setPointerCapture(event.pointerId);
    this.#begin(this.#at(event));
  }

  #begin(point) {
    this.#remember();
    this.#cursor = point;
    if (this.tool === "box") this.#corner = point;
    else {
      this.#paint(point, point);
      this.#last = point;
    }
    this.#draw();
  }

  #move(event) {
    if (!this.painting) return;
    const point = this.#at(event);
    if (this.#last) this.#paint(this.#last, point);
    if (this.#last) this.#last = point;
    this.#cursor = point;
    this.#draw();
  }

  #up() {
    if (this.#corner) this.#box(this.#corner, this.#cursor);
    this.#last = this.#corner = null;
    this.#draw();
  }

  #paint([x0, y0], [x1, y1]) {
    const context = this.#mask.getContext("2d");
    context.globalCompositeOperation = this.tool === "add" ? "source-over" : "destination-out";
    context.strokeStyle = "#fff";
    context.lineCap = "round";
    context.lineWidth = this.size;
    context.beginPath();
    context.moveTo(x0, y0);
    context.lineTo(x1 + 0.01, y1);
    context.stroke();
    context.globalCompositeOperation = "source-over";
  }

  // Only what is in the box stays; where nothing of the mask is, all that is in it.
  #box([x0, y0], [x1, y1]) {
    const { width, height } = this.#mask;
    const left = clamp(Math.min(x0, x1), width), right = clamp(Math.max(x0, x1), width);
    const top = clamp(Math.min(y0, y1), height), bottom = clamp(Math.max(y0, y1), height);
    if (right - left < 4 || bottom - top < 4) return;
    const context = this.#mask.getContext("2d");
    const within = context.getImageData(left, top, right - left, bottom - top);
    let seen = false;
    for (let k = 3; k < within.data.length && !seen; k += 4) seen = within.data[k] > 127;
    context.clearRect(0, 0, width, height);
    if (seen) context.putImageData(within, left, top);
    else {
      context.fillStyle = "#fff";
      context.fillRect(left, top, right - left, bottom - top);
    }
  }

  #key(event) {
    if (!this.painting) return;
    const arrow = ARROWS[event.key], { width, height } = this.canvas;
    this.#cursor ??= [width / 2, height / 2];
    if (arrow) {
      const step = STEP * (event.shiftKey ? 5 : 1);
      const next = [clamp(this.#cursor[0] + arrow[0] * step, width), clamp(this.#cursor[1] + arrow[1] * step, height)];
      if (this.#penDown && this.tool !== "box") this.#paint(this.#cursor, next);
      this.#cursor = next;
    } else if (event.key === " ") {
      if (this.#penDown) {
        if (this.#corner) this.#box(this.#corner, this.#cursor);
        this.#corner = this.#last = null;
      } else this.#begin(this.#cursor);
      this.#last = null;
      this.#penDown = !this.#penDown;
    } else if (event.key.toLowerCase() === "z" && (event.ctrlKey || event.metaKey)) this.undo();
    else return;
    event.preventDefault();
    this.#draw();
  }

  #draw() {
    if (!this.canvas?.width) return;
    const context = this.canvas.getContext("2d"), { width, height } = this.canvas;
    const veil = getComputedStyle(this).getPropertyValue("--veil").trim() || "251 249 244";
    context.clearRect(0, 0, width, height);
    context.fillStyle = `rgb(${veil} / ${this.painting ? 72 : 82}%)`;
    context.fillRect(0, 0, width, height);
    context.globalCompositeOperation = "destination-out";
    context.drawImage(this.#mask, 0, 0);
    context.globalCompositeOperation = "source-over";
    if (!this.painting || !this.#cursor) return;
    context.strokeStyle = "#b4472a";
    context.lineWidth = Math.max(1.5, width / 500);
    context.beginPath();
    if (this.tool === "box") {
      const [x, y] = this.#corner ?? this.#cursor, [x1, y1] = this.#cursor;
      if (this.#corner) context.rect(x, y, x1 - x, y1 - y);
      else {
        context.moveTo(x - 10, y);
        context.lineTo(x + 10, y);
        context.moveTo(x, y - 10);
        context.lineTo(x, y + 10);
      }
    } else context.arc(this.#cursor[0], this.#cursor[1], this.size / 2, 0, 2 * Math.PI);
    context.stroke();
  }
}

function clamp(value, most) {
  return Math.min(Math.max(value, 0), most);
}

customElements.define("mask-painter", MaskPainter);
