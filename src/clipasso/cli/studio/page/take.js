// What is taken away: files of the sketch, and the command lines that make the same.

import { file, get, save } from "./api.js";
import { settled } from "./edit.js";
import { $, on, press, say, store } from "./store.js";

const KINDS = [
  ["pdf", "PDF to print"], ["png", "PNG picture"], ["svg", "SVG drawing"],
  ["moving-gif", "Animation, GIF"], ["moving-mp4", "Animation, MP4"], ["moving-svg", "Animation, SVG"],
  ["plot-svg", "For a pen plotter, SVG"], ["plot-hpgl", "For a pen plotter, HPGL"],
  ["plot-gcode", "For a pen plotter, G-code"], ["json", "Control points, JSON"],
  ["dxf", "For CAD, DXF"],
];
const ON_PAPER = ["pdf", "plot-svg", "plot-hpgl", "plot-gcode"];
const PLOTTED = /^plot-/;
const NEEDS = { "moving-mp4": "mp4", "plot-hpgl": "hpgl", "plot-gcode": "gcode", dxf: "dxf" };
const SIDES = { a6: "A6 postcard", a5: "A5", a4: "A4", a3: "A3", letter: "US letter", legal: "US legal" };

export function setUp() {
  const { about } = store;
  $("kind").append(...KINDS.filter(([kind]) => !(kind in NEEDS) || about.here[NEEDS[kind]])
    .map(([kind, words]) => new Option(words, kind)));
  $("paper").append(...about.papers.map((name) => new Option(SIDES[name] ?? name, name)));
  $("paper").value = remembered("paper") ?? (/-(US|CA|MX)$/.test(navigator.language) ? "letter" : "a4");
  if (!$("paper").value) $("paper").value = "a4";
  $("paper").addEventListener("change", () => {
    try { localStorage.setItem("paper", $("paper").value); } catch { /* a private window */ }
  });
  for (const id of ["kind", "paper", "pen", "fill", "brush"]) $(id).addEventListener("change", draw);
  $("command").addEventListener("toggle", draw);
  press("download", async () => {
    const number = await settled(), taken = await file(`/api/sketches/${number}/${path()}`);
    save(taken);
    say(`${taken.name} is downloaded.`);
    await draw();
  });
  press("copy", async () => {
    await copy($("lines").textContent);
    $("copy").textContent = "Copied";
    setTimeout(() => { $("copy").textContent = "Copy"; }, 2000);
  });
  press("take-mask", async () => {
    const { blob } = await file("/api/mask.png");
    save({ blob, name: `${store.photo.name.replace(/\.[^.]*$/, "")}-mask.png` });
  });
  on("current", draw);
  on("state", draw);
}

// What the file is asked for with: pictures and drawings are made with the brush, if one is chosen.
function path() {
  const kind = $("kind").value, brush = $("brush").value;
  const brushed = brush && ["png", "svg"].includes(kind);
  const asked = new URLSearchParams();
  if (ON_PAPER.includes(kind)) asked.set("paper", $("paper").value);
  if (PLOTTED.test(kind)) {
    asked.set("pen", `${$("pen").value}mm`);
    if ($("fill").checked) asked.set("fill", "yes");
  }
  if (brushed) asked.set("brush", brush);
  if (kind === "png") asked.set("size", "2048");
  if (kind.startsWith("moving-")) asked.set("seconds", "4");
  return `${brushed ? `brush-${kind}` : kind}?${asked}`;
}

async function draw() {
  const kind = $("kind").value, brush = $("brush").value;
  $("take").hidden = !store.current;
  if (!store.current) return;
  $("paper-row").hidden = !ON_PAPER.includes(kind);
  $("pen-row").hidden = !PLOTTED.test(kind);
  const textured = brush && !store.about.brushes.find(({ name }) => name === brush).vector;
  const words = [];
  if (brush && textured && kind === "svg") words.push(`${brush} is a texture, which an SVG cannot hold; take a PNG.`);
  else if (brush && !["png", "svg"].includes(kind)) words.push("This file has plain lines; a PNG has the brush.");
  $("kind-words").textContent = words.join(" ");
  $("download").disabled = Boolean(textured && kind === "svg");
  $("take-mask").hidden = store.photo?.mask.how !== "painted";
  if (!$("command").open) return;
  const [what, asked] = path().split("?");
  const { lines } = await get(`/api/sketches/${store.current}/${what}/command?${asked}`);
  $("lines").textContent = lines.join("\n");
}

async function copy(text) {
  if (navigator.clipboard) {
    try {
      await navigator.clipboard.writeText(text);
      return;
    } catch { /* not allowed: the old way */ }
  }
  getSelection().selectAllChildren($("lines"));
  if (!document.execCommand("copy")) throw new Error("the browser does not let the page copy; the lines are selected, press Ctrl-C");
}

function remembered(name) {
  try { return localStorage.getItem(name); } catch { return null; }
}
