// The setup of a story: a `cargo omni dev` process, a browser with its page open, and checks of every page.
import { spawn } from "node:child_process";
import { createServer } from "node:http";
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { chromium } from "playwright-core";

const axe = readFileSync(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");
export const SHELF = "shelf/src/main.rs";
// The longest time for anything but a build, on a busy machine.
const PATIENCE = 120_000;

export async function open(command) {
  const dev = spawn(command, ["dev", "shelf", "--store", "store"], { stdio: ["ignore", "pipe", "pipe"] });
  let said = "";
  dev.stderr.on("data", (data) => (said += data));
  const address = await new Promise((resolve, reject) => {
    let printed = "";
    dev.stdout.on("data", (data) => {
      printed += data;
      if (printed.includes("\n")) resolve(printed.trim());
    });
    dev.on("exit", (code) => reject(new Error(`cargo omni dev ended with ${code}: ${said}`)));
    setTimeout(() => reject(new Error(`no address: ${said}`)), PATIENCE).unref();
  });
  const browser = await chromium.launch({ executablePath: process.env.CHROMIUM, args: ["--no-sandbox"] });
  const context = await browser.newContext({ viewport: { width: 1380, height: 880 } });
  const desk = { dev, address, browser, origin: new URL(address).origin, faults: [] };
  desk.page = await watched(desk, context);
  await desk.page.goto(address);
  const cookies = await context.cookies();
  desk.context = context;
  desk.plain = async () => {
    // A browser without scripts, admitted with the same cookie.
    const other = await browser.newContext({ javaScriptEnabled: false });
    await other.addCookies(cookies);
    return watched(desk, other);
  };
  desk.close = async () => {
    await browser.close();
    const gone = new Promise((resolve) => dev.on("exit", resolve));
    dev.kill("SIGINT");
    return gone;
  };
  return desk;
}

// The service with notices about books. It is busy at the first call, then has two pages.
export async function catalogue() {
  let asked = 0;
  const service = createServer((request, response) => {
    asked += 1;
    const isFirst = asked === 1;
    const isSecondPage = request.url.includes("cursor=2");
    const notices = [isSecondPage ? "c" : "a", isSecondPage ? "d" : "b"].map((id) => ({ id: `notice-${id}`, text: `Notice ${id}` }));
    response.writeHead(isFirst ? 429 : 200, { "content-type": "application/json", ...(isFirst && { "retry-after": "2" }) });
    response.end(JSON.stringify(isFirst ? { message: "slow down" } : { notices, next: isSecondPage ? null : "2" }));
  });
  await new Promise((resolve) => service.listen(0, "127.0.0.1", resolve));
  return { url: `http://127.0.0.1:${service.address().port}`, asked: () => asked, close: () => service.close() };
}

// No console error, no error of a script, no request to another host.
async function watched(desk, context) {
  context.setDefaultTimeout(PATIENCE);
  const page = await context.newPage();
  page.on("console", (message) => {
    if (message.type() === "error") desk.faults.push(`console: ${message.text()}`);
  });
  page.on("pageerror", (error) => desk.faults.push(`script: ${error.message}`));
  page.on("request", (request) => {
    const url = new URL(request.url());
    if (url.origin !== desk.origin && url.protocol !== "data:") desk.faults.push(`asked ${request.url()}`);
  });
  return page;
}

export const go = (desk, path) => desk.page.goto(desk.origin + path);

// Presses a control that leads to a page, and waits until that page is there.
export async function press(page, control) {
  await Promise.all([page.waitForNavigation({ waitUntil: "domcontentloaded" }), page.click(control)]);
}

// Serious findings of axe on the page that is shown. The policy of the page forbids its script, so it comes by the debugger.
export async function findings(page) {
  await page.evaluate(axe);
  const { violations } = await page.evaluate(() => window.axe.run());
  const serious = violations.filter((one) => one.impact === "serious" || one.impact === "critical");
  return serious.map((one) => `${one.id}: ${one.nodes.map((node) => node.target.join(" ")).slice(0, 3).join("; ")}`);
}

export async function json(desk, path) {
  const answer = await desk.context.request.get(desk.origin + path, { headers: { accept: "application/json" } });
  if (!answer.ok()) throw new Error(`${path} is answered with ${answer.status()}`);
  return answer.json();
}

export async function until(what, look, patience = PATIENCE) {
  const end = Date.now() + patience;
  while (Date.now() < end) {
    const found = await look();
    if (found) return found;
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
  throw new Error(`${what} did not come within ${patience / 1000} s`);
}
