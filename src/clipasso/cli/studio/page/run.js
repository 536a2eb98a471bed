// A sketch is asked for, and shown while it is made.

import { post, remove } from "./api.js";
import { $, busy, fail, on, press, say, show, store } from "./store.js";

const CARE = {
  draft: "quick and rough", default: "as usual", fine: "fine, twice as long",
  paper: "as in the paper, very long",
};

export function setUp() {
  const { about } = store, { usual, limits } = about;
  $("strokes").max = Math.min(64, limits.strokes);
  $("strokes").value = usual.strokes;
  $("width").value = usual.width;
  $("seeds").max = Math.min(6, limits.seeds);
  $("seeds").value = usual.seeds;
  $("preset").append(...about.presets.map((name) => new Option(CARE[name] ?? name, name)));
  $("preset").value = usual.preset;
  $("encoder").append(...about.encoders.map((name) => new Option(name, name)));
  $("encoder").value = usual.encoder;
  $("brush").append(...about.brushes.map(({ name }) => new Option(name.replace("-", " "), name)));
  for (const id of ["strokes", "width", "seeds"]) {
    const tell = () => { $(`${id}-shown`).textContent = $(id).value; };
    $(id).addEventListener("input", tell);
    tell();
  }
  $("preset").addEventListener("change", () => {
    $("seeds").value = about.seedsOf[$("preset").value];
    $("seeds").dispatchEvent(new Event("input"));
  });
  press("start", () => begin({ kind: "sketch" }));
  press("stop", async () => {
    await remove(`/api/jobs/${store.job.number}`);
    $("stop").disabled = true;
  });
  on("state", draw);
  on("job", draw);
}

// How a sketch is wanted.
export function wish() {
  return {
    strokes: Number($("strokes").value), width: Number($("width").value),
    oneWidth: $("one-width").checked,
    seeds: Number($("seeds").value), preset: $("preset").value,
    encoder: $("encoder").value || null,
  };
}

export async function begin(asked) {
  await store.keep();
  const job = await post("/api/jobs", { ...wish(), ...asked });
  show("sketch");
  $("sheet").scrollIntoView({ block: "nearest" });
  return job.number;
}

function draw() {
  const job = store.job, working = busy();
  const focused = document.activeElement?.id;
  $("run").hidden = !working;
  $("start").hidden = working;
  $("start").disabled = working || !$("mask-tools").hidden;
  $("queue").textContent = "";
  $("notes").hidden = !job?.note || job.state === "failed" || working;
  if (!job) return;
  $("notes").textContent = job.note;
  if (working) {
    $("stop").disabled = job.stopping;
    $("stop").textContent = job.state === "waiting" ? "Leave the queue" : "Stop and keep the best";
    if (job.steps) $("progress").value = job.step / job.steps;
    else $("progress").removeAttribute("value");
    $("curve").show(job.curve, job.steps);
    $("curve").hidden = !job.curve.length;
    $("run-words").textContent = words(job);
    if (job.state === "waiting") $("queue").textContent = `${place(job.ahead)} in the queue`;
  }
  told(job);
  // What had the focus has gone from the page: its counterpart has it now.
  if (working && focused === "start") $("stop").focus({ preventScroll: true });
  if (!working && focused === "stop") $("start").focus({ preventScroll: true });
}

let last = ""; // what was said of which job

function told(job) {
  const now = `${job.number} ${job.state}`;
  if (now === last) return;
  const before = last;
  last = now;
  if (job.state === "failed") fail(new Error(job.note));
  if (!before && !busy()) return; // the page was loaded anew
  const lines = {
    waiting: `${place(job.ahead)} in the queue`, running: "The sketch has begun.",
    done: job.endedEarly ? "Stopped; the best so far is kept." : "The sketch is done.",
    cancelled: "Taken out of the queue.",
  };
  if (lines[job.state]) say(lines[job.state]);
}

function words(job) {
  if (job.stopping && job.state === "running") return "stopping …";
  if (job.state === "waiting")
    return job.ahead === 1 ? "One sketch is before yours." : `${job.ahead} sketches are before yours.`;
  if (!job.steps) return "laying the first strokes …";
  const left = job.left === null ? "" : ` · ${time(job.left)} left`;
  return `step ${job.step} of ${job.steps}${left}`;
}

function place(ahead) {
  return ahead <= 1 ? "next" : `${ahead} ahead of you`;
}

function time(seconds) {
  if (seconds < 1) return "a moment";
  if (seconds < 90) return `${Math.ceil(seconds)} s`;
  return `${Math.ceil(seconds / 60)} min`;
}
