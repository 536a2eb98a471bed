// The studio's page: begins, listens to the studio, and says when it is left.

import { get } from "./api.js";
import "./loss-curve.js";
import "./mask-painter.js";
import "./stroke-editor.js";
import * as edit from "./edit.js";
import * as photo from "./photo.js";
import * as run from "./run.js";
import * as take from "./take.js";
import { $, changed, fail, on, press, store } from "./store.js";

function takeIn(state) {
  Object.assign(store, { photo: state.photo, sketches: state.sketches, job: state.job });
}

function listen() {
  const events = new EventSource("/api/events");
  events.addEventListener("state", ({ data }) => changed("state", JSON.parse(data)));
  events.addEventListener("job", ({ data }) => {
    store.job = JSON.parse(data);
    changed("job");
  });
  events.addEventListener("preview", ({ data }) => changed("preview", JSON.parse(data)));
  events.addEventListener("error", async () => {
    if (events.readyState !== EventSource.CLOSED) return; // it tries again by itself
    events.close();
    await beginAnew();
  });
}

// The studio does not know the page any more: it was closed for long, or started anew.
async function beginAnew() {
  const had = Boolean(store.photo);
  for (;;) {
    try {
      const state = await get("/api/state");
      changed("state", state);
      if (had && !state.photo) fail(new Error("Your photo was put away while you were gone. Choose it again."));
      listen();
      return;
    } catch (error) {
      fail(error);
      await new Promise((done) => setTimeout(done, 2000));
    }
  }
}

async function begin() {
  press("problem-close", () => fail(null));
  on("state", takeIn); // before all others
  store.about = await get("/api/about");
  const state = await get("/api/state");
  photo.setUp();
  run.setUp();
  edit.setUp();
  take.setUp();
  changed("state", state);
  listen();
  addEventListener("pagehide", () => navigator.sendBeacon("/api/leave"));
  addEventListener("pageshow", ({ persisted }) => { if (persisted) location.reload(); });
  document.documentElement.dataset.ready = "yes";
}

begin().catch(fail);
