"use strict";
// The questionnaire: which questions a person gets, in which order, and what is saved of the answers.

var clipassoStudy = (function () {
  // mulberry32: a small generator, so that a person's number always gives the same order.
  function generator(seed) {
    var state = seed >>> 0;
    return function () {
      state = (state + 0x6d2b79f5) >>> 0;
      var t = state;
      t = Math.imul(t ^ (t >>> 15), t | 1);
      t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
      return ((t ^ (t >>> 14)) >>> 0) / 4294967296;
    };
  }

  function shuffled(list, random) {
    var result = list.slice();
    for (var k = result.length - 1; k > 0; k--) {
      var other = Math.floor(random() * (k + 1));
      var kept = result[k];
      result[k] = result[other];
      result[other] = kept;
    }
    return result;
  }

  // A person's form, of a single method. Classes come first: photos would give them away.
  function formFor(data, person) {
    var form = data.forms[(person - 1) % data.forms.length];
    var random = generator(data.seed * 1000003 + person);
    var parts = ["category", "instance"].map(function (part) {
      return shuffled(form.questions.filter(function (q) { return q.part === part; }), random);
    });
    return { method: form.method, version: form.version, questions: parts[0].concat(parts[1]) };
  }

  function begin(data, person, session) {
    var form = formFor(data, person);
    var answers = [];
    return {
      form: form,
      done: function () { return answers.length === form.questions.length; },
      number: function () { return answers.length + 1; },
      question: function () { return form.questions[answers.length]; },
      answer: function (given, seconds) {
        var q = form.questions[answers.length];
        if (!q || (given !== null && q.options.indexOf(given) < 0)) {
          throw new Error("no such question or option");
        }
        answers.push({
          question: q.id, part: q.part, "class": q["class"], series: q.series, right: q.right,
          given: given, seconds: Math.round(seconds * 10) / 10
        });
      },
      back: function () { answers.pop(); },
      result: function () {
        return {
          format: "clipasso-answers-1", study: data.study, person: person, session: session,
          method: form.method, version: form.version, answers: answers.slice()
        };
      }
    };
  }

  return { formFor: formFor, begin: begin };
})();

function clipassoPage(data) {
  var main = document.getElementById("main");

  function add(parent, tag, text) {
    var node = document.createElement(tag);
    if (text !== undefined) { node.textContent = text; }
    parent.appendChild(node);
    return node;
  }

  function clear() {
    while (main.firstChild) { main.removeChild(main.firstChild); }
  }

  function picture(parent, name, text) {
    var image = add(parent, "img");
    image.src = data.pictures[name];
    image.alt = text;
  }

  function welcome() {
    clear();
    add(main, "h1", "What do these sketches show?");
    add(main, "p", "First you are asked what a sketch shows, then which photo it was drawn from. "
      + "Choose \u201cNone\u201d where you cannot tell. Nothing is sent anywhere: at the end you "
      + "save a file with your answers and hand it in.");
    var label = add(main, "label", "Your number: ");
    var field = add(label, "input");
    field.type = "number";
    field.min = "1";
    field.id = "person";
    var asked = /[?&]person=(\d+)/.exec(window.location.search);
    field.value = asked ? asked[1] : String(1 + Math.floor(Math.random() * 9999));
    var button = add(add(main, "p"), "button", "Begin");
    button.id = "begin";
    button.onclick = function () {
      var person = parseInt(field.value, 10);
      if (!(person >= 1 && person < 1e9)) { field.focus(); return; }
      var token = Math.floor(Math.random() * 1e15).toString(36);
      ask(clipassoStudy.begin(data, person, token));
    };
  }

  function ask(run) {
    if (run.done()) { save(run); return; }
    clear();
    var question = run.question();
    var began = Date.now();
    add(main, "p", run.number() + " of " + run.form.questions.length).className = "number";
    add(main, "h2", question.part === "category"
      ? "What does the sketch show?" : "Which photo was it drawn from?");
    picture(add(main, "p"), question.sketch, "the sketch");
    var options = add(main, "div");
    options.className = question.part;
    question.options.concat([null]).forEach(function (option, k) {
      var button = add(options, "button");
      button.className = "option";
      if (option === null) {
        button.textContent = "None";
      } else if (question.part === "category") {
        button.textContent = option;
      } else {
        picture(button, option, "photo " + (k + 1));
      }
      button.onclick = function () {
        run.answer(option, (Date.now() - began) / 1000);
        ask(run);
      };
    });
    if (run.number() > 1) {
      var back = add(add(main, "p"), "button", "Back");
      back.id = "back";
      back.onclick = function () { run.back(); ask(run); };
    }
  }

  function save(run) {
    clear();
    var text = JSON.stringify(run.result(), null, 1);
    add(main, "h2", "Thank you");
    add(main, "p", "Save your answers and hand the file in. If saving does not work, copy the text "
      + "below into a file.");
    var link = add(add(main, "p"), "a", "Save answers");
    link.id = "save";
    link.href = URL.createObjectURL(new Blob([text], { type: "application/json" }));
    link.download = "answers-" + run.result().person + "-" + run.result().session + ".json";
    var area = add(main, "textarea");
    area.id = "answers";
    area.readOnly = true;
    area.value = text;
  }

  welcome();
}

if (typeof document !== "undefined") {
  clipassoPage(JSON.parse(document.getElementById("data").textContent));
}
