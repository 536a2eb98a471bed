// What all parts of the page share: the studio's state, what was said, and what goes wrong.

export const $ = (id) => document.getElementById(id);

export const store = {
  about: null, // what there is to choose from
  photo: null,
  sketches: [], // all but their strokes
  job: null,
  current: null, // the number of the sketch that is shown
  view: "photo",
  keep: async () => null, // keeps what was changed by hand, and gives the sketch's number
};

export const busy = () => Boolean(store.job) && ["waiting", "running"].includes(store.job.state);

const listeners = new Map();

// Calls a function whenever something of a kind has changed: state, current, view, edited, tool.
export function on(kind, function_) {
  listeners.set(kind, [...(listeners.get(kind) ?? []), function_]);
}

export function changed(kind, ...details) {
  for (const function_ of listeners.get(kind) ?? []) function_(...details);
}

// For screen readers, and so for the eyes of nobody.
export function say(line) {
  $("said").textContent = line;
}

export function fail(error) {
  if (!error) {
    $("problem").hidden = true;
    return;
  }
  $("problem-line").textContent = error.message ?? String(error);
  $("problem").hidden = false;
}

// Runs what may fail on a click, with the button out of use meanwhile.
export function press(id, function_) {
  const button = $(id);
  button.addEventListener("click", async (event) => {
    if (button.getAttribute("aria-busy") === "true") return;
    button.setAttribute("aria-busy", "true");
    try {
      fail(null);
      await function_(event);
    } catch (error) {
      fail(error);
    } finally {
      button.removeAttribute("aria-busy");
    }
  });
}

export function pressed(id, value) {
  $(id).setAttribute("aria-pressed", String(value));
}

export function show(view) {
  store.view = view;
  $("sheet").dataset.view = view;
  pressed("view-photo", view === "photo");
  pressed("view-sketch", view === "sketch");
  changed("view");
}
