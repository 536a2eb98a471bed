// Strokes as SVG: path data, thumbnails, and strokes between two states.

const NAMESPACE = "http://www.w3.org/2000/svg";

export function make(name, attributes = {}, ...children) {
  const element = document.createElementNS(NAMESPACE, name);
  for (const [key, value] of Object.entries(attributes)) element.setAttribute(key, value);
  element.append(...children);
  return element;
}

const number = (value) => String(Math.round(value * 1000) / 1000);

// A chain of Bezier segments of one degree, whose neighbours share a point.
export function pathData(points, degree) {
  const letter = " LQC"[degree];
  let data = `M${number(points[0][0])},${number(points[0][1])}`;
  for (let k = 1; k < points.length; k += degree) {
    const some = points.slice(k, k + degree).map(([x, y]) => `${number(x)},${number(y)}`);
    data += ` ${letter}${some.join(" ")}`;
  }
  return data;
}

export function color([red, green, blue]) {
  return `rgb(${[red, green, blue].map((value) => Math.round(value * 255)).join(" ")})`;
}

export function inkOf(stroke, degree) {
  const path = make("path", { class: "ink" });
  dress(path, stroke, degree);
  return path;
}

export function dress(path, stroke, degree) {
  path.setAttribute("d", pathData(stroke.points, degree));
  path.setAttribute("stroke", color(stroke.color));
  path.setAttribute("stroke-width", stroke.width);
  path.setAttribute("stroke-opacity", stroke.opacity);
}

export function thumbnail(sketch) {
  const svg = make("svg", { viewBox: `0 0 ${sketch.size[0]} ${sketch.size[1]}`, "aria-hidden": "true" });
  for (const stroke of sketch.strokes) {
    const path = inkOf(stroke, sketch.degree);
    for (const [name, value] of [["fill", "none"], ["stroke-linecap", "round"], ["stroke-linejoin", "round"]])
      path.setAttribute(name, value);
    svg.append(path);
  }
  return svg;
}

// Strokes a part of the way (0 to 1) from one sketch to another of the same make.
export function between(from, to, part) {
  return to.strokes.map((stroke, k) => ({
    ...stroke,
    width: mix(from.strokes[k].width, stroke.width, part),
    points: stroke.points.map((point, n) => point.map((value, axis) =>
      mix(from.strokes[k].points[n][axis], value, part))),
  }));
}

export function alike(one, other) {
  return Boolean(one && other) && one.degree === other.degree &&
    one.strokes.length === other.strokes.length &&
    one.strokes.every((stroke, k) => stroke.points.length === other.strokes[k].points.length);
}

function mix(from, to, part) {
  return from + (to - from) * part;
}

export function middle(stroke, degree) {
  const points = stroke.points;
  if (degree !== 3 || points.length !== 4) return points[Math.floor(points.length / 2)];
  return [0, 1].map((axis) =>
    (points[0][axis] + 3 * points[1][axis] + 3 * points[2][axis] + points[3][axis]) / 8);
}
