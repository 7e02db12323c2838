// Opens a report in headless Chromium over the DevTools protocol (a pipe, no package, no port) and checks what a reader would meet:
// no request, no error, nothing wider than the screen, every section and figure there with its words, marks that speak, series that
// toggle from the keyboard, tables and numbers equal to the CSV files beside the page, all of it with scripts off too.
// Usage: node browser.mjs CHROMIUM RUN_DIRECTORY [SCREENSHOTS]. Prints one JSON object; `wrong` is empty where all is well.
import { spawn } from "node:child_process";
import { mkdirSync, mkdtempSync, readFileSync, readdirSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { pathToFileURL } from "node:url";

const [chromium, run, shots] = process.argv.slice(2);
const page = resolve(run, "report.html");
const wrong = [];
const expect = (holds, what) => { if (!holds) wrong.push(what); };
const counts = {};
// What a cell says: code is set as code on the page and between grave accents in a file; a page may keep words on one line.
const said = (rows) => rows.map((row) => row.map((cell) => cell.replaceAll("\u00a0", " ").replace(/`([^`]+)`/g, "$1")));

const profile = mkdtempSync(join(tmpdir(), "equipoise-browser-"));
const child = spawn(chromium, ["--headless=new", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--no-first-run",
  "--hide-scrollbars", "--disable-background-networking", `--user-data-dir=${profile}`, "--remote-debugging-pipe", "about:blank"],
  { stdio: ["ignore", "ignore", "ignore", "pipe", "pipe"] });
const [out, input] = [child.stdio[3], child.stdio[4]];
const pending = new Map(), listeners = new Set();
let next = 1, buffer = Buffer.alloc(0);
input.on("data", (chunk) => {
  buffer = Buffer.concat([buffer, chunk]);
  for (let end; (end = buffer.indexOf(0)) >= 0; buffer = buffer.subarray(end + 1)) {
    const message = JSON.parse(buffer.subarray(0, end).toString("utf8"));
    if (message.id) {
      const { done, fail } = pending.get(message.id);
      pending.delete(message.id);
      message.error ? fail(new Error(JSON.stringify(message.error))) : done(message.result);
    } else for (const listener of listeners) listener(message);
  }
});
child.on("exit", () => { for (const { fail } of pending.values()) fail(new Error("chromium ended")); });

function send(method, params = {}, session) {
  const id = next++;
  out.write(JSON.stringify({ id, method, params, sessionId: session }) + "\0");
  return new Promise((done, fail) => pending.set(id, { done, fail }));
}

// A tab of its own, of a size, light or dark, with scripts or without; collects what it asks for and what goes wrong.
async function tab({ width, height, dark = false, scripts = true, mobile = false }) {
  const { targetId } = await send("Target.createTarget", { url: "about:blank" });
  const { sessionId } = await send("Target.attachToTarget", { targetId, flatten: true });
  const ask = (method, params) => send(method, params, sessionId);
  const heard = { requests: [], errors: [] };
  let loaded;
  const ready = new Promise((done) => { loaded = done; });
  const listener = ({ method, params, sessionId: from }) => {
    if (from !== sessionId) return;
    if (method === "Network.requestWillBeSent") heard.requests.push(params.request.url);
    if (method === "Runtime.exceptionThrown") heard.errors.push(params.exceptionDetails.text);
    if (method === "Runtime.consoleAPICalled") heard.errors.push(`console.${params.type}`);
    if (method === "Log.entryAdded") heard.errors.push(params.entry.text);
    if (method === "Page.loadEventFired") loaded();
  };
  listeners.add(listener);
  for (const domain of ["Network", "Runtime", "Log", "Page"]) await ask(`${domain}.enable`);
  await ask("Emulation.setDeviceMetricsOverride", { width, height, deviceScaleFactor: 1, mobile });
  await ask("Emulation.setEmulatedMedia", { features: [{ name: "prefers-color-scheme", value: dark ? "dark" : "light" }] });
  if (!scripts) await ask("Emulation.setScriptExecutionDisabled", { value: true });
  await ask("Page.navigate", { url: pathToFileURL(page).href });
  await ready;
  const evaluate = async (source, ...args) => {
    const expression = `(${source})(...${JSON.stringify(args)})`;
    const { result, exceptionDetails } = await ask("Runtime.evaluate", { expression, returnByValue: true, awaitPromise: true });
    if (exceptionDetails) throw new Error(exceptionDetails.exception?.description ?? exceptionDetails.text);
    return result.value;
  };
  const shot = async (name) => {
    if (!shots) return;
    mkdirSync(shots, { recursive: true });
    const { cssContentSize: size } = await ask("Page.getLayoutMetrics");
    // Long pages are cut into pieces that an eye can take in.
    for (let top = 0, at = 0; top < size.height; top += 1800, at++) {
      const clip = { x: 0, y: top, width, height: Math.min(1800, size.height - top), scale: 1 };
      const { data } = await ask("Page.captureScreenshot", { captureBeyondViewport: true, clip });
      writeFileSync(join(shots, `${name}-${String(at).padStart(2, "0")}.png`), Buffer.from(data, "base64"));
    }
  };
  const close = async () => { listeners.delete(listener); await send("Target.closeTarget", { targetId }); };
  return { ask, evaluate, heard, shot, close };
}

// What is seen of the page: runs inside it.
const look = (width) => {
  const seen = (e) => e.getClientRects().length > 0;
  const text = (e) => (e?.textContent ?? "").trim();
  const wide = [...document.querySelectorAll("main *")].filter((e) => seen(e) && !e.closest(".scroll, pre, svg, .skip, details:not([open])")
    && e.getBoundingClientRect().right > width + 1).map((e) => e.tagName + "#" + e.id + "." + e.className).slice(0, 3);
  const figures = [...document.querySelectorAll("figure")].map((f) => {
    const svg = [...f.querySelectorAll("svg.plot")].filter(seen);
    const box = svg[0]?.viewBox.baseVal, marks = [...(svg[0]?.querySelectorAll("[data-v]") ?? [])];
    const labels = [...(svg[0]?.querySelectorAll("text") ?? [])].filter((t) => text(t)).map((t) => [text(t), t.getBBox()]);
    const outside = labels.filter(([, b]) => b.x < -2 || b.y < -2 || b.x + b.width > box.width + 2 || b.y + b.height > box.height + 2);
    const over = [];
    labels.forEach(([a, p], i) => labels.slice(i + 1).forEach(([b, q]) => {
      const x = Math.min(p.x + p.width, q.x + q.width) - Math.max(p.x, q.x), y = Math.min(p.y + p.height, q.y + q.height) - Math.max(p.y, q.y);
      if (x > 3 && y > 5) over.push(`${a} / ${b}`);
    }));
    const named = (svg[0]?.getAttribute("aria-labelledby") ?? "").split(" ").filter(Boolean).map((id) => text(document.getElementById(id)));
    const links = [...f.querySelectorAll("a[download]")].map((a) => ({ name: a.download, text: decodeURIComponent(a.href.split(",").slice(1).join(",")) }));
    return { id: f.id, shown: svg.length, role: svg[0]?.getAttribute("role"), named, outside: outside.map(([t]) => t), over, links,
      height: svg[0]?.getBoundingClientRect().height, caption: text(f.querySelector("figcaption p")), small: [...f.querySelectorAll("figcaption .small")].map(text).join(" "),
      marks: marks.map((m) => ({ says: m.getAttribute("data-v"), heard: m.getAttribute("aria-label") ?? text(m.querySelector("title")) })),
      keys: [...f.querySelectorAll(".key li")].map((k) => k.dataset.s), series: [...new Set([...(svg[0]?.querySelectorAll("[data-s]") ?? [])].map((g) => g.dataset.s))] };
  });
  const tables = [...document.querySelectorAll("table")].map((t) => ({ id: t.id.replace("table-", ""), caption: text(t.caption),
    scopes: [...t.querySelectorAll("th")].every((h) => h.scope), rows: [...t.rows].map((r) => [...r.cells].map((c) => c.textContent)) }));
  const sections = [...document.querySelectorAll("main section")].map((s) => ({ id: s.id, heading: text(s.querySelector("h2")),
    height: s.getBoundingClientRect().height, words: text(s).length }));
  const rgb = (c) => c.match(/[\d.]+/g).slice(0, 3).map((v) => { v /= 255; return v <= 0.03928 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4; });
  const light = (c) => { const [r, g, b] = rgb(c); return 0.2126 * r + 0.7152 * g + 0.0722 * b; };
  const paper = light(getComputedStyle(document.body).backgroundColor);
  const contrast = ["body", ".question", "a", "caption", ".tick", ".muted"].map((s) => [s, document.querySelector(s)]).filter(([, e]) => e).map(([s, e]) => {
    const style = getComputedStyle(e), ink = light(e.closest("svg") ? style.fill : style.color);
    return [s, (Math.max(ink, paper) + 0.05) / (Math.min(ink, paper) + 0.05)];
  });
  return { wide, figures, tables, sections, contrast, title: document.title, lang: document.documentElement.lang,
    nav: [...document.querySelectorAll("nav a")].map((a) => a.getAttribute("href").slice(1)), h1: text(document.querySelector("h1")),
    across: document.documentElement.scrollWidth };
};

const csv = (file) => {
  const rows = [[]]; let cell = "", quoted = false;
  for (let i = 0; i < file.length; i++) {
    const c = file[i];
    if (quoted) { if (c !== '"') cell += c; else if (file[i + 1] === '"') { cell += '"'; i++; } else quoted = false; }
    else if (c === '"') quoted = true;
    else if (c === "," || c === "\n") { rows.at(-1).push(cell); cell = ""; if (c === "\n") rows.push([]); }
    else if (c !== "\r") cell += c;
  }
  return rows.filter((r) => r.length);
};
// "0.106 [0.078, 0.134]" against exact numbers, each rounded as it is shown.
const rounds = (shown, exact) => {
  const numbers = shown.replace(/(\d),(?=\d{3})/g, "$1").match(/-?\d+(\.\d+)?(e-?\d+)?/g) ?? [];
  return exact.every((value, i) => {
    const digits = numbers[i], places = (digits?.split(".")[1] ?? "").length;
    return digits !== undefined && Math.abs(Number(digits) - value) <= 0.5000001 * 10 ** -places;
  });
};

function check(seen, where, width) {
  expect(seen.across <= width, `${where}: the page is ${seen.across} px wide`);
  expect(seen.wide.length === 0, `${where}: wider than the screen: ${seen.wide}`);
  expect(seen.lang === "en" && seen.title && seen.h1, `${where}: language, title or heading is missing`);
  expect(JSON.stringify(seen.nav) === JSON.stringify(seen.sections.map((s) => s.id)), `${where}: the contents do not name the sections`);
  for (const s of seen.sections) expect(s.heading && s.height > 60 && s.words > 40, `${where}: section ${s.id} is empty`);
  for (const [what, ratio] of seen.contrast) expect(ratio >= 4.5, `${where}: contrast of ${what} is ${ratio.toFixed(2)}`);
  for (const f of seen.figures) {
    const at = `${where}: ${f.id}`;
    expect(f.shown === 1 && f.height > 40, `${at}: ${f.shown} pictures are shown`);
    expect(f.role === "img" && f.named.length === 2 && f.named.every((n) => n.length > 10), `${at}: no text alternative`);
    expect(f.caption.length > 20, `${at}: no caption`);
    expect(f.outside.length === 0, `${at}: text outside the picture: ${f.outside}`);
    expect(f.over.length === 0, `${at}: text over text: ${f.over.slice(0, 4)}`);
    expect(f.marks.every((m) => m.heard === m.says && m.says), `${at}: a mark is silent`);
    expect(f.keys.every((k) => f.series.includes(k)), `${at}: the key names what is not drawn: ${f.keys.filter((k) => !f.series.includes(k))}`);
    if (f.links.length) {
      expect(/seed|Counted/.test(f.small), `${at}: no n`);
      for (const link of f.links) {
        const file = readFileSync(join(run, "figures", link.name), "utf8");
        expect(file === link.text, `${at}: the link differs from figures/${link.name}`);
        if (link.name.endsWith(".json")) expect(JSON.parse(link.text).data.values.length === csv(f.links.find((l) => l.name.endsWith(".csv")).text).length - 1, `${at}: the spec has another number of values than the CSV`);
      }
      expect(f.links.length === 2, `${at}: data or spec is missing`);
      const words = csv(f.links[0].text), column = words[0].indexOf("words");
      if (column >= 0) expect(f.marks.every((m) => words.some((r) => r[column] === m.says)), `${at}: a mark says what the CSV does not`);
      const [mean, low, high] = ["value", "low", "high"].map((name) => words[0].indexOf(name));
      if (mean >= 0 && low >= 0 && high >= 0) {
        const rows = words.slice(1).filter((r) => r[mean] !== "");
        for (const m of f.marks) expect(rows.some((r) => rounds(m.says.split(": ").at(-1), [r[mean], r[low], r[high]].filter((v) => v !== "").map(Number))), `${at}: ${m.says} is not in the CSV`);
        counts.marks = (counts.marks ?? 0) + f.marks.length;
      }
    }
  }
  for (const t of seen.tables) {
    expect(t.caption && t.scopes, `${where}: table ${t.id} has no caption or headers without scope`);
    const file = csv(readFileSync(join(run, "tables", `${t.id}.csv`), "utf8"));
    expect(JSON.stringify(said(file)) === JSON.stringify(said(t.rows)), `${where}: table ${t.id} differs from its CSV`);
    counts.cells = (counts.cells ?? 0) + file.flat().length;
  }
  // Every estimate of the ladder, in words, against the exact numbers.
  const exact = csv(readFileSync(join(run, "figures", "results.csv"), "utf8"));
  const at = (name) => exact[0].indexOf(name);
  const metrics = JSON.parse(readFileSync(join(run, "metrics.json"), "utf8"));
  const arms = seen.tables.find((t) => t.id === "arms");
  for (const [i, arm] of metrics.arms.entries()) {
    const row = exact.find((r) => r[0] === arm.id && r[at("metric")] === metrics.primary);
    if (row && row[at("kind")] === "value")
      expect(rounds(arms.rows[i + 1][3], ["value", "low", "high"].map((n) => Number(row[at(n)]))), `${where}: ${arm.id} shows ${arms.rows[i + 1][3]}`);
  }
}

try {
  const bytes = statSync(page).size;
  counts.bytes = bytes;
  expect(bytes <= 3 * 1024 * 1024, `the page has ${bytes} bytes`);
  for (const size of [{ width: 360, height: 780, mobile: true }, { width: 1280, height: 900 }]) {
    for (const dark of [false, true]) {
      for (const scripts of dark ? [true] : [true, false]) {
        const where = `${size.width} px${dark ? ", dark" : ""}${scripts ? "" : ", scripts off"}`;
        const view = await tab({ ...size, dark, scripts });
        const seen = await view.evaluate(look.toString(), size.width);
        check(seen, where, size.width);
        counts.figures = seen.figures.length;
        counts.sections = seen.sections.length;
        if (scripts && !dark) {
          // Tab goes to the skip link first and on through the contents.
          const stops = [];
          for (let i = 0; i < 6; i++) {
            await view.ask("Input.dispatchKeyEvent", { type: "keyDown", key: "Tab", code: "Tab", windowsVirtualKeyCode: 9 });
            stops.push(await view.evaluate((() => document.activeElement.className || document.activeElement.tagName).toString()));
          }
          expect(stops[0] === "skip" && stops[1] === "A", `${where}: Tab reaches no link: ${stops}`);
          // Enter on a key switches its series off and on.
          const toggled = await view.evaluate((() => {
            const f = [...document.querySelectorAll("figure")].find((f) => f.querySelector(".key button"));
            f?.querySelector(".key button").focus();
            return f?.id ?? "";
          }).toString());
          const off = () => view.evaluate(((id) => document.querySelectorAll(`#${id} .series.off`).length).toString(), toggled);
          const press = async () => { for (const type of ["keyDown", "keyUp"]) await view.ask("Input.dispatchKeyEvent", { type, key: "Enter", code: "Enter", windowsVirtualKeyCode: 13, text: type === "keyDown" ? "\r" : undefined }); };
          if (toggled) {
            await press();
            expect(await off() > 0, `${where}: Enter on a key switches nothing off`);
            await press();
            expect(await off() === 0, `${where}: Enter again does not switch it on`);
          }
          await view.evaluate((() => { document.activeElement.blur(); window.scrollTo(0, 0); }).toString());
        }
        if (!scripts) expect(seen.figures.every((f) => f.keys.length > 0 || f.series.length <= 1 || f.id.startsWith("f1")), `${where}: a key is missing`);
        const foreign = view.heard.requests.filter((url) => url !== pathToFileURL(page).href && !url.startsWith("data:"));
        expect(foreign.length === 0, `${where}: asks for ${foreign}`);
        expect(view.heard.errors.length === 0, `${where}: ${view.heard.errors}`);
        if (scripts) await view.shot(`${size.width}${dark ? "-dark" : ""}`);
        await view.close();
      }
    }
  }
  const paper = await tab({ width: 794, height: 1123 });
  const { data } = await paper.ask("Page.printToPDF", { preferCSSPageSize: true, printBackground: true });
  const pdf = Buffer.from(data, "base64");
  counts.pages = (pdf.toString("latin1").match(/\/Type\s*\/Page\b/g) ?? []).length;
  expect(counts.pages > 2, `the print has ${counts.pages} pages`);
  await paper.ask("Emulation.setEmulatedMedia", { media: "print" });
  const print = await paper.evaluate((() => ({ nav: getComputedStyle(document.querySelector("nav")).display,
    pictures: [...document.querySelectorAll("figure")].every((f) => [...f.querySelectorAll("svg.plot")].filter((s) => s.getClientRects().length).length === 1),
    folded: [...document.querySelectorAll("details > *:not(summary)")].every((e) => e.getClientRects().length > 0) })).toString());
  expect(print.nav === "none" && print.pictures, "print: contents are printed, or a picture twice");
  if (shots) writeFileSync(join(shots, "print.pdf"), pdf);
} catch (error) {
  wrong.push(`stopped: ${error.stack}`);
} finally {
  // Its helpers write into the profile until they have ended.
  const ended = new Promise((done) => child.on("close", done));
  child.kill();
  await ended;
  try { rmSync(profile, { recursive: true, force: true, maxRetries: 20, retryDelay: 100 }); } catch { /* A temporary folder stays. */ }
}
console.log(JSON.stringify({ wrong: [...new Set(wrong)], counts }, null, 1));
process.exit(wrong.length ? 1 : 0);
