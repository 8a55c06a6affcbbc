// The configurator: what Copier would say of some answers, and which files come out.
// `PLINTH` is written from the template's questions by src/plinth/harness/configurator.py.
"use strict";

const configurator = (() => {
  const matches = (row, values) => values.every((value, index) => row[index] === value);

  // Answer the questions in order, as Copier does with `--data` and `--defaults`.
  function verdict(picked) {
    const answers = {};
    for (const question of PLINTH.questions) {
      const { name } = question;
      const known = (other) => answers[other] ?? picked[other] ?? null;
      const row = question.default.rows.find((each) =>
        matches(each, question.default.reads.map((other) => answers[other])));
      const answer = picked[name] ?? row[row.length - 1];
      const values = [...question.refusals.reads.map(known), answer];
      const refused = question.refusals.rows.find((each) => matches(each, values));
      if (refused) {
        return { answers: null, refused: { name, answer, sentence: refused[refused.length - 1] } };
      }
      answers[name] = answer;
    }
    return { answers, refused: null };
  }

  function files(answers) {
    const on = (part) => PLINTH.parts[part].some((row) =>
      Object.entries(row).every(([name, value]) => answers[name] === value));
    const parts = new Set(Object.keys(PLINTH.parts).filter(on));
    return PLINTH.files
      .filter(([, owners]) => owners.every((any) => any.some((part) => parts.has(part))))
      .map(([path]) => path);
  }

  function command(picked) {
    const data = PLINTH.questions
      .filter(({ name }) => name in picked)
      .map(({ name }) => ` -d ${name}=${picked[name]}`);
    return `uvx copier copy${data.join("")} ADDRESS my-service`;
  }

  return { verdict, files, command };
})();

if (typeof document !== "undefined") {
  const root = document.getElementById("answers");
  const picked = { preset: "standard" };
  const element = (kind, properties = {}, ...children) => {
    const made = Object.assign(document.createElement(kind), properties);
    made.append(...children);
    return made;
  };
  const word = (value) => ({ true: "yes", false: "no" })[value] ?? String(value);
  const selects = new Map();
  const sentences = new Map();

  function choice(question) {
    const select = element("select", { id: `question-${question.name}`, name: question.name });
    const values = question.name === "preset" ? [] : [""];
    for (const value of [...values, ...question.values.map(String)]) {
      select.append(element("option", { value, textContent: word(value) }));
    }
    select.addEventListener("change", () => {
      const value = question.values.find((each) => String(each) === select.value);
      if (value === undefined) delete picked[question.name];
      else picked[question.name] = value;
      show();
    });
    selects.set(question.name, select);
    if (question.name in picked) select.value = String(picked[question.name]);
    const label = element("label", { htmlFor: select.id });
    label.append(element("code", { textContent: question.name }), ` ${question.message}`);
    const sentence = element("p", { className: "refused", hidden: true });
    sentences.set(question.name, sentence);
    return element("div", { className: "question" }, label, select, sentence);
  }

  // What an answer would be refused with, if it were picked next, and nothing else is refused.
  function refusal(question, value) {
    const others = { ...picked };
    delete others[question.name];
    if (configurator.verdict(others).refused) return "";
    const refused = configurator.verdict({ ...picked, [question.name]: value }).refused;
    return refused ? refused.sentence : "";
  }

  function label(option, question, answers) {
    if (option.value === "") {
      option.textContent = answers ? `${word(answers[question.name])} (by default)` : "by default";
      return;
    }
    const value = question.values.find((each) => String(each) === option.value);
    const sentence = refusal(question, value);
    option.textContent = sentence ? `${word(value)} – ${sentence}` : word(value);
    option.dataset.refused = sentence;
  }

  const status = element("p", { id: "verdict" });
  status.setAttribute("role", "status");
  const copied = element("pre", { id: "command", tabIndex: 0 });
  const tree = element("pre", { id: "files", tabIndex: 0 });
  const count = element("p", { id: "count" });

  function show() {
    const { answers, refused } = configurator.verdict(picked);
    for (const question of PLINTH.questions) {
      const select = selects.get(question.name);
      for (const option of select.options) label(option, question, answers);
      const isRefused = refused?.name === question.name;
      select.ariaInvalid = String(isRefused);
      sentences.get(question.name).hidden = !isRefused;
      sentences.get(question.name).textContent = isRefused ? refused.sentence : "";
    }
    status.className = refused ? "refused" : "accepted";
    status.textContent = refused
      ? `${refused.name}=${refused.answer} is refused: ${refused.sentence}`
      : "These answers go together.";
    copied.textContent = refused ? "" : configurator.command(picked);
    const paths = answers ? configurator.files(answers) : [];
    tree.textContent = paths.join("\n");
    count.textContent = refused ? "" : `${paths.length} files. This is one of `
      + `${PLINTH.combinations.toLocaleString("en")} combinations, all of which are rendered and checked.`;
  }

  if (root) {
    const form = element("form", { autocomplete: "off" });
    form.append(...PLINTH.questions.map(choice));
    const heading = (textContent) => element("h2", { textContent });
    root.replaceChildren(
      element("div", { className: "questions" }, form),
      element("div", { className: "result" }, heading("Verdict"), status,
        heading("Command"), copied, heading("Files"), count, tree),
    );
    show();
  }
}
