// Sketches: chosen among seeds and levels, played, shown with a brush, changed by hand.

import { get, post } from "./api.js";
import { thumbnail } from "./curves.js";
import { begin } from "./run.js";
import { $, busy, changed, fail, on, press, pressed, say, show, store } from "./store.js";

const PLAYED = 4; // seconds
const known = new Map(); // number -> strokes, as the studio has them

let group = 0; // of the job that was over when the page last looked
let settling = { job: 0, frozen: [] }; // which strokes of which job's sketch stay as they are

export function setUp() {
  const editor = $("editor");
  editor.mode = "view";
  store.keep = settled;
  press("edit", () => editing(editor.mode === "view"));
  press("draw", ({ detail }) => {
    if (detail === 0 && editor.mode === "edit") editor.lay(); // by keyboard
    else drawing(editor.mode !== "draw");
  });
  press("delete", () => editor.delete());
  press("undo", () => editor.undo());
  press("redo", () => editor.redo());
  press("play", play);
  press("settle", async () => {
    const frozen = editor.edited, strokes = editor.count, sketch = await settled();
    settling = { job: await begin({ kind: "settle", sketch, frozen, strokes }), frozen };
  });
  press("ladder", async () => {
    const sketch = await settled(), levels = halves(editor.count);
    await begin({ kind: "ladder", sketch, levels });
  });
  editor.addEventListener("change", tools);
  editor.addEventListener("pick", tools);
  editor.addEventListener("line", async ({ detail: line }) => {
    try {
      const { degree, segments } = editor;
      const { strokes } = await post("/api/line", { line: thinned(line), degree, segments });
      editor.add(strokes);
      say(strokes.length > 1 ? `The line became ${strokes.length} strokes.` : "The line is a stroke.");
    } catch (error) { fail(error); }
  });
  $("beneath").addEventListener("change", () =>
    $("sheet").classList.toggle("beneath", $("beneath").checked));
  $("brush").addEventListener("change", () => { style(); if (store.current) show("sketch"); });
  $("levels").addEventListener("input", async () => {
    const level = levels()[$("levels").value];
    try {
      await settled();
      if (level) await choose(level.number);
    } catch (error) { fail(error); }
  });
  document.addEventListener("keydown", (event) => {
    const letter = event.key.toLowerCase(), command = event.ctrlKey || event.metaKey;
    if (editor.mode === "view" || !command || !["z", "y"].includes(letter)) return;
    event.preventDefault();
    if (letter === "y" || event.shiftKey) editor.redo();
    else editor.undo();
  });
  on("state", arrived);
  on("preview", ({ job, sketch }) => {
    if (job !== store.job?.number || !busy()) return;
    if (editor.mode !== "view") editing(false);
    uncover();
    $("view-sketch").disabled = false;
    editor.follow(sketch);
  });
  on("job", tools);
  on("view", tools);
}

// Shows one of the sketches.
export async function choose(number, edited = []) {
  const sketch = await strokes(number);
  store.current = number;
  $("editor").show(sketch, edited);
  $("view-sketch").disabled = false;
  uncover();
  style();
  thumbs();
  tools();
  changed("current");
}

// The number of the sketch as it is shown: what was changed by hand is kept first.
export async function settled() {
  const editor = $("editor");
  if (!editor.changed) return store.current;
  const held = await post("/api/sketches", editor.sketch);
  editor.kept(); // and it can still be undone
  store.current = held.number;
  await thumbs();
  tools();
  changed("current");
  return held.number;
}

async function strokes(number) {
  if (!known.has(number)) known.set(number, await get(`/api/sketches/${number}`));
  return known.get(number);
}

// The state has changed: new sketches, or none any more.
async function arrived() {
  const { sketches, job } = store, here = new Set(sketches.map(({ number }) => number));
  for (const number of known.keys()) if (!here.has(number)) known.delete(number);
  try {
    if (!sketches.length) {
      store.current = null;
      known.clear();
      group = 0;
      if (!busy()) {
        editing(false);
        $("editor").show(null);
        $("view-sketch").disabled = true;
        if (store.view === "sketch") show("photo");
      }
      changed("current");
    } else if (job && !busy() && job.number !== group) {
      const [first] = sketches.filter((one) => one.group === job.number);
      group = job.number;
      if (first) show("sketch");
      const frozen = settling.job === job.number ? settling.frozen : [];
      if (first) await choose(first.number, frozen);
      else await choose(here.has(store.current) ? store.current : sketches.at(-1).number);
    } else if (!here.has(store.current) && !busy()) await choose(sketches.at(-1).number);
    await thumbs();
  } catch (error) { fail(error); }
  tools();
}

async function thumbs() {
  const made = await Promise.all(store.sketches.map(async (one) => {
    const button = document.createElement("button"), words = document.createElement("span");
    button.type = "button";
    button.setAttribute("aria-pressed", String(one.number === store.current));
    words.textContent = one.title;
    const small = document.createElement("small");
    small.textContent = one.loss === null ? `${one.strokes} strokes` : `loss ${one.loss.toFixed(3)}`;
    button.append(thumbnail(await strokes(one.number)), words, small);
    button.addEventListener("click", async () => {
      try {
        show("sketch");
        editing(false);
        await settled();
        await choose(one.number);
      } catch (error) { fail(error); }
    });
    const item = document.createElement("li");
    item.append(button);
    return item;
  }));
  const focused = [...$("thumbs").children].findIndex((item) => item.contains(document.activeElement));
  $("thumbs").replaceChildren(...made);
  if (focused >= 0) $("thumbs").children[focused]?.firstChild.focus({ preventScroll: true });
  $("choice").hidden = made.length < 2;
  if (made.length > 1) $("thumbs").querySelector("[aria-pressed=true]")?.scrollIntoView({ block: "nearest", inline: "nearest" });
  const steps = levels();
  $("level").hidden = steps.length < 2;
  $("levels").max = steps.length - 1;
  const at = steps.findIndex(({ number }) => number === store.current);
  if (at >= 0) {
    $("levels").value = at;
    $("level-shown").textContent = steps[at].strokes;
    $("levels").setAttribute("aria-valuetext", steps[at].title);
  }
}

// The levels of the ladder that the sketch shown is one of, the most strokes first.
function levels() {
  const now = store.sketches.find(({ number }) => number === store.current);
  if (now?.kind !== "level") return [];
  return store.sketches.filter((one) => one.kind === "level" && one.group === now.group);
}

function tools() {
  const editor = $("editor"), working = busy(), mode = editor.mode;
  const there = store.view === "sketch" && !editor.empty && Boolean(store.current) && !working;
  $("sketch-tools").hidden = !there;
  $("ladder").hidden = !store.current || working || halves(editor.count).length === 0;
  $("beneath-label").hidden = store.view !== "sketch";
  $("edit-tools").hidden = $("edit-hint").hidden = mode === "view";
  pressed("edit", mode !== "view");
  $("edit").textContent = mode === "view" ? "Edit strokes" : "Done editing";
  pressed("draw", mode === "draw");
  $("play").hidden = mode !== "view";
  $("delete").disabled = mode !== "edit" || editor.selected === null || editor.count < 2;
  $("undo").disabled = !editor.undoable;
  $("redo").disabled = !editor.redoable;
  const edited = editor.edited.length;
  $("settle").disabled = !(edited || editor.undoable) || edited >= editor.count;
  changed("edited");
}

function editing(now) {
  $("editor").mode = now ? "edit" : "view";
  if (now) uncover();
  else style();
  tools();
}

function drawing(now) {
  $("editor").mode = now ? "draw" : "edit";
  say(now ? "Draw on the sketch." : "");
  tools();
}

async function play() {
  const film = $("film");
  if (!film.hidden) {
    uncover();
    style();
    return;
  }
  const number = await settled();
  film.src = `/api/sketches/${number}/moving-svg?seconds=${PLAYED}&${Date.now()}`;
  await film.decode();
  $("styled").hidden = true;
  film.hidden = false;
  $("sheet").classList.add("covered");
  $("play").textContent = "Stop playing";
  clearTimeout(film.timer);
  film.timer = setTimeout(() => { if (!film.hidden) { uncover(); style(); } }, (PLAYED + 1.5) * 1000);
}

// The strokes themselves are seen again.
function uncover() {
  clearTimeout($("film").timer);
  $("film").hidden = $("styled").hidden = true;
  $("play").textContent = "Play";
  $("sheet").classList.remove("covered");
}

// The sketch as the chosen brush draws it, where nothing is being changed.
async function style() {
  const brush = $("brush").value, editor = $("editor");
  changed("edited");
  if (!brush || editor.mode !== "view" || !store.current || busy()) {
    if ($("film").hidden) uncover();
    return;
  }
  try {
    const number = await settled(), image = $("styled");
    const size = Math.min(1600, Math.round($("sheet").clientWidth * devicePixelRatio) || 1024);
    image.src = `/api/sketches/${number}/brush-png?brush=${brush}&size=${Math.max(64, size)}`;
    image.alt = `The sketch drawn with ${brush}`;
    await image.decode();
    if ($("brush").value !== brush || editor.mode !== "view" || busy()) return;
    image.hidden = false;
    $("sheet").classList.add("covered");
  } catch (error) { if (error.name !== "EncodingError") fail(error); }
}

function halves(count) {
  const found = [];
  for (let level = Math.floor(count / 2); level >= 2 && found.length < 4; level = Math.floor(level / 2))
    found.push(level);
  return found;
}

function thinned(line) {
  const every = Math.ceil(line.length / 2000);
  return line.filter((_, k) => k % every === 0 || k === line.length - 1);
}
