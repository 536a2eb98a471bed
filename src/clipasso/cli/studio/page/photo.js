// The photo: chosen, dropped, pasted or taken; its mask and its frame.

import { post, put } from "./api.js";
import { $, busy, changed, fail, on, press, pressed, say, show, store } from "./store.js";

const FOUND = {
  painted: "The mask is the one you painted.",
  alpha: "What is transparent in it is left out.",
  none: "All of it is drawn.",
};

let shown = 0; // the number of the photo's state that the page shows

export function setUp() {
  press("choose", () => $("file").click());
  press("photograph", () => $("camera").click());
  press("another", () => $("file").click());
  for (const id of ["file", "camera"])
    $(id).addEventListener("change", () => {
      const [file] = $(id).files;
      $(id).value = ""; // so that the same may be chosen again
      if (file) open(file);
    });
  addEventListener("dragover", (event) => {
    event.preventDefault();
    document.body.classList.add("dragging");
  });
  for (const kind of ["dragleave", "drop"])
    addEventListener(kind, (event) => {
      if (kind === "drop" || !event.relatedTarget) document.body.classList.remove("dragging");
    });
  addEventListener("drop", (event) => {
    event.preventDefault();
    const [file] = event.dataTransfer?.files ?? [];
    if (file) open(file);
    else fail(new Error("that was no file; drop a photo from your computer"));
  });
  addEventListener("paste", (event) => {
    const [file] = event.clipboardData?.files ?? [];
    if (file) open(file);
  });

  press("view-photo", () => show("photo"));
  press("view-sketch", () => show("sketch"));
  press("repair", () => { show("photo"); repairing(true); });
  press("whole", async () => {
    const how = store.photo.mask.whole ? "auto" : "none";
    changed("state", await post("/api/mask", { how }));
    show("photo");
  });
  $("frame").addEventListener("change", async () => {
    try {
      changed("state", await post("/api/frame", { how: $("frame").checked ? "auto" : "keep" }));
      show("photo");
    } catch (error) { fail(error); }
  });

  const painter = $("mask");
  for (const tool of ["add", "erase", "box"])
    press(`mask-${tool}`, () => {
      painter.tool = tool;
      for (const other of ["add", "erase", "box"]) pressed(`mask-${other}`, other === tool);
      painter.canvas.focus({ preventScroll: true });
    });
  $("mask-size").addEventListener("input", () => { painter.size = sized(); });
  press("mask-undo", () => painter.undo());
  press("mask-cancel", () => { painter.end(false); repairing(false); });
  press("mask-done", async () => {
    const state = await put("/api/mask", await painter.picture());
    painter.end(true);
    repairing(false);
    changed("state", state);
    say("The mask is changed.");
  });

  on("state", draw);
  on("view", () => { if (store.view === "sketch" && painter.painting) { painter.end(false); repairing(false); } });
}

export async function open(file) {
  const { upload } = store.about.limits;
  if (file.size > upload) {
    fail(new Error(`${file.name}: is larger than ${Math.round(upload / 1e6)} MB, the most here`));
    return;
  }
  if (store.sketches.length && !confirm("Begin with another photo? The sketches of this one go.")) return;
  fail(null);
  say("Opening the photo.");
  $("opening").hidden = false;
  $("choose").textContent = "Opening the photo …";
  try {
    const name = encodeURIComponent(file.name || "pasted.png");
    changed("state", await put(`/api/photo?name=${name}`, file));
    show("photo");
    say(`${store.photo.name} is open. ${words()}`);
    $("start").focus({ preventScroll: true });
  } catch (error) {
    fail(error);
  } finally {
    $("opening").hidden = true;
    $("choose").textContent = "Choose a photo";
  }
}

function sized() { // px of the picture for the brush, whatever the photo's size
  return $("mask-size").value * Math.max(...store.photo.size) / 700;
}

function repairing(now) {
  $("mask-tools").hidden = !now;
  $("repair").disabled = $("whole").disabled = now;
  $("start").disabled = now || busy();
  if (now) {
    $("mask").size = sized();
    $("mask").begin();
    $("mask").canvas.focus({ preventScroll: true });
  } else $("repair").focus({ preventScroll: true });
}

function words() {
  const { mask } = store.photo;
  const found = FOUND[mask.how === "auto" ? mask.source : mask.how];
  if (found) return found;
  if (!mask.whole) return "What is pale in it is left out; repair the mask if that is wrong.";
  const why = mask.source.replace(/^none,? ?/, "");
  return `Nothing is left out${why ? `: ${why.replace(/^no candidate is convincing$/, "no single object was found")}` : ""}.`;
}

function draw() {
  const photo = store.photo;
  $("welcome").hidden = Boolean(photo);
  $("studio").hidden = $("another").hidden = !photo;
  if (!photo) {
    shown = 0;
    return;
  }
  $("photo-words").textContent = `${photo.name}. ${words()}`;
  $("whole").textContent = photo.mask.whole ? "Find the object" : "Draw all of it";
  $("frame-label").hidden = !photo.surround && photo.framed !== "keep";
  $("frame").checked = photo.framed === "auto";
  $("frame-words").textContent = photo.surround
    ? `leave out what is around it: ${photo.surround}` : "leave out what is around it";
  if (photo.number === shown) return;
  shown = photo.number;
  const [width, height] = photo.size;
  $("sheet").style.setProperty("--ratio", width / height);
  $("photo").src = `/api/photo.jpg?${photo.number}`;
  $("photo").alt = `Your photo, ${photo.name}`;
  $("mask").show(`/api/mask.png?${photo.number}`, width, height).catch(fail);
}
