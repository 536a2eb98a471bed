// <loss-curve>: the loss of each attempt so far, lower is nearer to the photo.

import { make } from "./curves.js";

const WIDTH = 300, HEIGHT = 72, EDGE = 4;

export class LossCurve extends HTMLElement {
  // `curve`: [[step, [loss of each seed]], ...]; `steps`: how many there will be.
  show(curve, steps) {
    const svg = make("svg", { viewBox: `0 0 ${WIDTH} ${HEIGHT}`, preserveAspectRatio: "none", role: "img" });
    svg.append(make("line", { class: "ground", x1: 0, x2: WIDTH, y1: HEIGHT - 1, y2: HEIGHT - 1 }));
    this.replaceChildren(svg);
    if (!curve.length) {
      svg.setAttribute("aria-label", "No loss yet");
      return;
    }
    const all = curve.flatMap(([, losses]) => losses);
    const low = Math.min(...all), high = Math.max(...all), span = high - low || 1;
    const place = ([step, loss]) =>
      `${(step / (steps || 1) * WIDTH).toFixed(1)},${(EDGE + (high - loss) / span * (HEIGHT - 2 * EDGE)).toFixed(1)}`;
    const line = (name, values) => make("polyline", { class: name, points: values.map(place).join(" ") });
    const seeds = curve[0][1].length;
    for (let k = 0; seeds > 1 && k < seeds; k++)
      svg.append(line("seed", curve.filter(([, losses]) => k in losses).map(([step, losses]) => [step, losses[k]])));
    svg.append(line("best", curve.map(([step, losses]) => [step, Math.min(...losses)])));
    const last = Math.min(...curve.at(-1)[1]), first = Math.min(...curve[0][1]);
    svg.setAttribute("aria-label", `Loss of the best attempt: from ${first.toFixed(3)} down to ${last.toFixed(3)}`);
  }
}

customElements.define("loss-curve", LossCurve);
