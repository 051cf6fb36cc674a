const at = (id) => document.getElementById(id);
const say = (node, text, state) => {
  node.textContent = text;
  node.classList.remove("stolen", "safe");
  if (state) node.classList.add(state);
};
const seconds = (ms) => Math.round(ms / 1000);
const plural = (count, what) => `${count} ${what}${count === 1 ? "" : "s"}`;

function pane(id, state, key) {
  const box = at(id);
  const last = state.tries[state.tries.length - 1];
  const stolen = last[key];
  const so = stolen ? "stolen" : "safe";
  box.dataset.is = so;
  say(box.querySelector(".big"), stolen ? (state.name || "the user") : "nobody", so);
  const since = state.tries.find((one) => !one[key]);
  let sub = "";
  const bound = key === "bound" && state.proof;
  if (key === "bound") {
    say(box.querySelector("h2"), bound ? "The cookie bound to the device" : "The cookie that could not be bound");
    say(box.querySelector(".what"), bound
      ? "The same, and a key that never leaves the device."
      : "The same, and nothing more: this browser has no key.");
  }
  if (stolen && bound) {
    const left = Math.max(0, seconds(state.lifetime - state.age));
    sub = `the copied proof is over in ${plural(left, "second")} at the latest`;
  } else if (stolen) sub = `for ${seconds(last.after)} s now, and nothing ends it`;
  else sub = `since ${seconds(since.after)} s after the theft`;
  say(box.querySelector(".sub"), sub);

  const done = state.tries.filter((one) => one[`${key}_transfer`]).length;
  const transfer = box.querySelector("[data-fact=transfer]");
  say(transfer.querySelector("b"), done ? `yes, ${plural(done, "time")}` : "never: that takes a signature");
  transfer.className = `fact ${done ? "stolen" : "safe"}`;
  const alone = box.querySelector("[data-fact=alone]");
  if (alone) {
    alone.hidden = !bound;
    const worked = state.tries.filter((one) => one.alone).length;
    say(alone.querySelector("b"), worked ? `the user, ${plural(worked, "time")}` : "nobody, at once");
    alone.className = `fact ${worked ? "stolen" : "safe"}`;
  }
  const line = box.querySelector(".line");
  line.replaceChildren(...state.tries.slice(-60).map((one) => {
    const mark = document.createElement("i");
    mark.className = one[key] ? "stolen" : "safe";
    mark.title = `${seconds(one.after)} s`;
    return mark;
  }));
  say(box.querySelector(".axis"), `${plural(state.tries.length, "try").replace("trys", "tries")}, one every two seconds`);
}

async function look() {
  try {
    const state = await (await fetch("/state")).json();
    const stolen = state.age !== null;
    at("pair").hidden = !stolen || state.tries.length === 0;
    at("notice").hidden = !stolen || state.proof;
    if (stolen) {
      say(at("headline"), `${plural(state.cookies, "cookie")} stolen ${plural(seconds(state.age), "second")} ago`);
      say(at("lead"), "Another client, without the browser and its key, uses all of them:");
    }
    if (stolen && state.tries.length) {
      pane("ordinary", state, "ordinary");
      pane("bound", state, "bound");
    }
  } catch { /* The demo has ended; what it showed stays. */ }
}
setInterval(look, 1000);
look();
