// The stories of the page. A browser plays each against a real connector process: `node stories.mjs COMMAND [PART OF A NAME]`.
import assert from "node:assert/strict";
import { readFileSync, writeFileSync } from "node:fs";
import { SHELF, catalogue, findings, go, json, open, press, until } from "./desk.mjs";

const [command, wanted] = process.argv.slice(2);
// The longest time for one build on a busy machine.
const BUILD = 600_000;
const PANES = ["source", "sync", "requests", "documents", "actions", "contract"];

const last = async (desk) => (await json(desk, "/dev/sync")).runs[0];
const over = (desk) => {
  const look = async () => {
    const run = await last(desk);
    return run && run.run.status !== "running" ? run : undefined;
  };
  return until("the end of the run", look, BUILD);
};
const registered = (desk) =>
  until("the registration", () => desk.page.locator("#state", { hasText: /^\s*registered, idle/ }).count(), BUILD);
// How often a pane is asked for, to know its time.
const ROUNDS = 10;
// Milliseconds of processor time that a process has spent. Unlike the time of a clock, other processes do not lengthen it.
const spent = (pid) => {
  const fields = readFileSync(`/proc/${pid}/stat`, "utf8").replace(/^.*\) /s, "").split(" ");
  return (Number(fields[11]) + Number(fields[12])) * 10;
};
// Starts a run by the button, and gives it when it is over.
const sync = async (desk) => {
  const before = (await last(desk))?.run.id;
  await press(desk.page, "button:has-text('Sync')");
  await until("the run", async () => (await last(desk))?.run.id !== before);
  return over(desk);
};
const save = (page) => press(page, "button:has-text('Save settings')");
// Waits until all attempts of a run are reported. The last report comes after the end of the run, and the pane shows an earlier run
// while there is none.
const attempted = (desk, { run }, attempts) =>
  until(`the report of ${attempts} attempts`, async () => (await json(desk, `/dev/requests?run=${run.id}`)).costs.attempts === attempts);

// Gives the source a service with notices for the time of a story.
async function withCatalogue(desk, story) {
  const { page } = desk;
  const service = await catalogue();
  const read = async (url) => {
    await go(desk, "/dev/source");
    await page.fill('[name="v/catalogue"]', url);
    await save(page);
  };
  try {
    await read(service.url);
    await story(service);
    await read("");
  } finally {
    service.close();
  }
}

// Breaks the code, sees the compiler's words, and mends it with another argument of an action.
async function broken(desk, code) {
  const { page } = desk;
  writeFileSync(SHELF, code.replace("fn room(book: &Book) -> &str {", 'fn room(book: &Book) -> &str { let x: u32 = "";'));
  await until("the compiler's words", () => page.locator(".compiler pre:has-text('mismatched types')").count(), BUILD);
  await page.screenshot({ path: "pictures/compiler.png" });
  assert.equal((await json(desk, "/dev/contract")).manifest.connector_id, "shelf", "the old process still serves");
  writeFileSync(SHELF, code.replace("days: u32,", "days: u32,\n        /** Who reads it */\n        #[arg]\n        reader: String,"));
  await until("what is new", () => page.locator("text=`reader` is required now").count(), BUILD);
}

const stories = {
  async "the form is filled and the source synced"(desk) {
    const { page } = desk;
    await registered(desk);
    await go(desk, "/dev/source");
    await page.fill('[name="v/library"]', "The old library");
    await page.fill('[name="v/books"]', "120");
    await press(page, "text=Add one");
    await page.fill('[name="v/closed/0"]', "Travel");
    await page.check('[name="p/loans"]');
    await page.fill('[name="v/loans/days"]', "21");
    await save(page);
    const { source } = (await json(desk, "/dev/source")).source;
    const loans = { days: 21 };
    assert.deepEqual(source.config, { library: "The old library", books: 120, order: "title", closed: ["Travel"], loans });
    const run = await sync(desk);
    assert.equal(run.run.status, "completed");
    assert.equal(run.effects.created, 89, "120 less 30 of the closed room and the one that is missing");
    await until("the failure on the page", () => page.locator("text=404 Not Found").count());
    await until("the reason of the skips, once", async () => (await page.locator("summary:has-text('the room is closed')").count()) === 1);
  },

  async "ann and ben see what is theirs, and the reason is true"(desk) {
    const { page } = desk;
    const total = async (who) => (await json(desk, `/dev/documents?as=${who}@library.example`)).hits.total;
    const [ann, ben, eve] = [await total("ann"), await total("ben"), await total("eve")];
    assert.ok(ann > ben && ben > eve && eve > 0, `${ann}, ${ben}, ${eve}`);
    await go(desk, "/dev/documents?q=glaciers");
    await page.fill("#seen-by", "ann@library.example");
    await page.keyboard.press("Enter");
    await page.waitForURL(/as=ann/);
    await press(page, ".hit >> nth=1");
    assert.match(await page.textContent(".verdict"), /ann@library.example sees it: (member of the group `readers@library.example`|the document is public)/);
  },

  async "a search by an operator finds one room"(desk) {
    const { page } = desk;
    await go(desk, "/dev/documents");
    await page.keyboard.press("/");
    await page.keyboard.type("room:poetry");
    await page.keyboard.press("Enter");
    await page.waitForURL(/q=room/);
    const { hits } = await json(desk, "/dev/documents?q=room:poetry");
    assert.equal(hits.total, 30);
    assert.match(await page.textContent(".hits h2"), /30 hits/);
  },

  async "a run is killed in the middle, goes on, and nothing is lost"(desk) {
    const { page } = desk;
    await go(desk, "/dev/source");
    await page.fill('[name="v/books"]', "160");
    await page.fill('[name="v/pause"]', "100");
    await save(page);
    await go(desk, "/dev/sync");
    const before = (await last(desk)).run.id;
    await page.selectOption('[name="mode"]', "full");
    await press(page, "button:has-text('Sync')");
    await until("some documents", async () => {
      const { run, effects } = await last(desk);
      return run.id !== before && effects.unchanged > 30;
    });
    await page.screenshot({ path: "pictures/running.png" });
    await page.keyboard.press("x");
    await until("the new process", () => page.locator("text=the full run goes on from its checkpoint").count());
    const run = await over(desk);
    assert.equal(run.run.status, "completed");
    const { hits } = await json(desk, "/dev/documents");
    assert.equal(hits.total, 119, "160 less 40 of the closed room and the one that is missing");
  },

  async "a source is rewound to a checkpoint and goes on from there"(desk) {
    const { page } = desk;
    await go(desk, "/dev/sync");
    const saved = page.locator(".timeline li", { hasText: '"next": 130,' });
    await saved.locator("summary").click();
    await Promise.all([page.waitForNavigation(), saved.locator("button", { hasText: "Rewind to here" }).click()]);
    assert.match(await page.textContent(".notice"), /Rewound/);
    assert.equal((await json(desk, "/dev/sync")).checkpoint.next, 130);
    const run = await sync(desk);
    const { unchanged, created } = run.effects;
    assert.deepEqual([run.run.sync_type, unchanged, created], ["incremental", 22, 0], "30 books less 8 of the closed room");
    // The same in one step.
    const before = (await json(desk, "/dev/sync")).runs[1].run.id;
    await go(desk, `/dev/sync?run=${before}`);
    await saved.locator("summary").click();
    await Promise.all([page.waitForNavigation(), saved.locator("button", { hasText: "Resume from here now" }).click()]);
    const again = await over(desk);
    assert.notEqual(again.run.id, run.run.id);
    assert.deepEqual([again.run.sync_type, again.effects.unchanged], ["incremental", 22]);
  },

  async "a busy source shows its wait, and a call fails as planned"(desk) {
    const { page } = desk;
    await withCatalogue(desk, async (service) => {
      await go(desk, "/dev/sync");
      const waited = await sync(desk);
      assert.equal(waited.run.status, "completed");
      await attempted(desk, waited, 3);
      await go(desk, "/dev/requests");
      await page.screenshot({ path: "pictures/waits.png" });
      await page.click(".waterfall li:first-child summary");
      await page.click(".waterfall li:last-child summary");
      const first = await page.textContent(".waterfall li:first-child");
      assert.match(first, /answered 429.*waited [\d,]+ ms for the quota of the source.*answered 200/s);
      assert.match(await page.textContent(".walks"), /GET notices.*2 pages, 4 items.*complete/s);
      await press(page, ".waterfall li:last-child a:has-text('Request and answer')");
      assert.match(await page.textContent("#call"), /Answer 200.*Notice c/s);
      const asked = service.asked();
      await press(page, "#call button:has-text('Make it once more')");
      assert.match(await page.textContent("#call"), /Made once more: ok.*The answer is the same/s);
      assert.equal(service.asked() - asked, 1);
      const tape = await page.getAttribute("#call a[download]", "href");
      const kept = await (await desk.context.request.get(desk.origin + tape)).text();
      assert.match(kept, /^{"tape":1.*\n.*Notice c/s);
      await page.screenshot({ path: "pictures/call.png" });
      assert.deepEqual(await findings(page), []);
      await press(page, "#call a:has-text('Notice c')");
      assert.match(await page.textContent("#source-item"), /Probably.*GET notices.*\/notices\/0.*"notice-c"/s);
      await page.hover("dl.members a.from");
      assert.match(await page.textContent("#source-item li.lit"), /text: "Notice c"/);
      await page.screenshot({ path: "pictures/source-item.png" });
      assert.deepEqual(await findings(page), []);
      await go(desk, "/dev/requests");
      const before = service.asked();
      await page.selectOption("#requests form select", "server_error");
      await press(page, "#requests form button");
      assert.match(await page.textContent(".notice"), /The next 1 attempt of `GET notices` will fail: 500/);
      await go(desk, "/dev/sync");
      const failed = await sync(desk);
      assert.equal(failed.run.status, "completed");
      await attempted(desk, failed, 3);
      assert.equal(service.asked() - before, 2, "the source was not asked by the attempt that failed");
      await go(desk, `/dev/requests?only=failed&run=${failed.run.id}`);
      assert.match(await page.textContent(".waterfall"), /answered 500/);
    });
  },

  async "a crash planned after some documents comes, and nothing is lost"(desk) {
    const { page } = desk;
    await go(desk, "/dev/sync");
    await page.fill('#kill-at [name="documents"]', "40");
    await press(page, "#kill-at button");
    assert.match(await page.textContent("#kill-at"), /dies after 40 documents of a run/);
    const before = (await last(desk)).run.id;
    await page.selectOption('[name="mode"]', "full");
    await press(page, "button:has-text('Sync')");
    await until("the new process", () => page.locator("text=the full run goes on from its checkpoint").count());
    const run = await over(desk);
    assert.notEqual(run.run.id, before);
    assert.equal(run.run.status, "completed");
    assert.equal((await json(desk, "/dev/documents")).hits.total, 119 + 4, "the books and the four notices");
    assert.equal((await json(desk, "/dev/sync")).kill, null);
  },

  async "only the first documents are taken, and two runs are compared"(desk) {
    const { page } = desk;
    await go(desk, "/dev/sync");
    const { checkpoint } = await json(desk, "/dev/sync");
    await page.selectOption('[name="mode"]', "full");
    await page.fill('[name="first"]', "7");
    const run = await sync(desk);
    assert.equal(run.run.status, "cancelled");
    assert.equal(run.effects.unchanged, 7);
    assert.deepEqual((await json(desk, "/dev/sync")).checkpoint, checkpoint, "nothing is published");
    await go(desk, `/dev/sync?run=${run.run.id}`);
    await press(page, "#compare button");
    assert.match(await page.textContent("main"), /7 are the same, 11\d differ/);
    assert.deepEqual(await findings(page), []);
  },

  async "only items that match are taken, and a doubt is dismissed"(desk) {
    const { page } = desk;
    await go(desk, "/dev/sync");
    const { checkpoint } = await json(desk, "/dev/sync");
    await page.selectOption('[name="mode"]', "full");
    await page.click(".options summary");
    await page.fill('[name="matching"]', "book-0001");
    await page.screenshot({ path: "pictures/only.png" });
    assert.deepEqual(await findings(page), []);
    const run = await sync(desk);
    assert.equal(run.run.status, "cancelled");
    assert.ok(run.effects.unchanged > 0 && run.effects.unchanged <= 10, `${run.effects.unchanged}`);
    assert.deepEqual((await json(desk, "/dev/sync")).checkpoint, checkpoint, "nothing is published");
    const { doubts } = await json(desk, "/dev/sync");
    if (doubts.length === 0) return;
    await go(desk, "/dev/sync");
    await page.click("#doubts li:first-child summary");
    await page.fill('#doubts li:first-child [name="reason"]', "it is a trial");
    await press(page, "#doubts li:first-child button");
    const after = (await json(desk, "/dev/sync")).doubts;
    assert.equal(after.at(-1).dismissed, "it is a trial");
    assert.equal(after.at(-1).text, doubts[0].text);
  },

  async "an item that failed is tried again, and nothing else is taken"(desk) {
    const { page } = desk;
    await go(desk, "/dev/source");
    await page.fill('[name="v/pause"]', "");
    await save(page);
    await go(desk, "/dev/sync");
    await page.selectOption('[name="mode"]', "full");
    const failed = (await sync(desk)).run.id;
    const again = async (word) => {
      await go(desk, `/dev/sync?run=${failed}`);
      await until("the failure", async () => {
        await page.reload();
        return page.locator("button:has-text('Try again')").count();
      });
      await press(page, "button:has-text('Try again')");
      await over(desk);
      await until(word, () => page.locator(`#tried dd >> nth=1 >> text=${word}`).count());
      assert.match(await page.textContent("#tried dd >> nth=0"), /404 Not Found/);
    };
    await again("failed");
    await go(desk, "/dev/source");
    await page.selectOption('[name="v/mended"]', "true");
    await save(page);
    await again("sent");
    await page.screenshot({ path: "pictures/tried.png" });
    assert.deepEqual(await findings(page), []);
    const run = await last(desk);
    assert.deepEqual([run.run.status, run.effects.created, run.effects.unchanged], ["cancelled", 1, 0]);
  },

  async "a dry run sends nothing, and its call for real does"(desk) {
    const { page } = desk;
    await withCatalogue(desk, async (service) => {
      await go(desk, "/dev/actions?action=announce");
      await page.fill('[name="v/text"]', "The library is open");
      await press(page, "button:has-text('Dry run')");
      await go(desk, "/dev/actions?action=announce");
      assert.match(await page.textContent("#dry-run"), /POST http:\S+notices was not sent.*The library is open/s);
      assert.equal(service.asked(), 0, "nothing was sent");
      await page.screenshot({ path: "pictures/dry-run.png" });
      assert.deepEqual(await findings(page), []);
      await press(page, "button:has-text('Call for real')");
      assert.ok(service.asked() > 0);
      await page.waitForSelector("#answer");
    });
  },

  async "an action is called by its form"(desk) {
    const { page } = desk;
    await go(desk, "/dev/actions?action=reserve");
    await page.fill('[name="v/book"]', "book-00012");
    await page.fill('[name="v/days"]', "5");
    await press(page, "button:has-text('Call')");
    assert.match(await page.textContent("#answer"), /book-00012 waits for 5 days/);
  },

  async "the checks run beside the connector, and an earlier build's are marked"(desk) {
    const { page } = desk;
    await go(desk, "/dev/contract");
    await press(page, "#checks button");
    await until("the checks have ended", () => page.locator("#checks table").count(), BUILD);
    assert.match(await page.textContent("#checks"), /manifest.*ok/s);
    assert.deepEqual(await findings(page), []);
    await page.screenshot({ path: "pictures/checks.png" });
    const code = readFileSync(SHELF, "utf8");
    try {
      writeFileSync(SHELF, `${code}\n// Another build.\n`);
      await until("the checks are of an earlier build", async () => /Of an earlier build/.test(await page.textContent("#checks")), BUILD);
    } finally {
      writeFileSync(SHELF, code);
    }
    await registered(desk);
  },

  async "code that does not compile shows the compiler's words, until it is mended"(desk) {
    const { page } = desk;
    const code = readFileSync(SHELF, "utf8");
    await go(desk, "/dev/sync");
    await registered(desk);
    try {
      await broken(desk, code);
    } finally {
      writeFileSync(SHELF, code);
    }
    await until("the old action", () => page.locator("text=`reader` is not required any more").count(), BUILD);
  },

  async "the keyboard alone is enough"(desk) {
    const { page } = desk;
    await go(desk, "/dev/sync");
    await page.keyboard.press("4");
    await page.waitForURL(/documents/);
    await page.keyboard.press("?");
    await page.waitForSelector("dialog[open]");
    await page.keyboard.press("Escape");
    await page.keyboard.press("2");
    await page.waitForURL(/sync/);
    await page.keyboard.press("Control+k");
    await page.waitForSelector("#palette[open]");
    await page.keyboard.type("manif");
    await page.keyboard.press("Enter");
    await page.waitForURL(/documents.*q=manif/);
    await page.keyboard.press("Control+k");
    await page.keyboard.type("sync");
    await page.keyboard.press("Enter");
    await page.waitForURL(/sync/);
    await page.waitForSelector('[data-press="r"]');
    const before = (await last(desk)).run.id;
    await page.keyboard.press("r");
    await until("another run", async () => (await last(desk)).run.id !== before);
    await over(desk);
  },

  async "everything works without script"(desk) {
    const page = await desk.plain();
    await page.goto(`${desk.origin}/dev/documents`);
    await page.fill('[name="q"]', "subject:moths");
    await press(page, "button:has-text('Search')");
    assert.match(await page.textContent(".hits h2"), /hits/);
    await press(page, "nav.panes >> text=Source");
    await press(page, "text=Add one");
    assert.equal(await page.locator('[name="v/closed/1"]').count(), 1);
    await press(page, "nav.panes >> text=Sync");
    const before = (await last(desk)).run.id;
    await press(page, "button:has-text('Sync')");
    assert.notEqual((await last(desk)).run.id, before);
    await over(desk);
    await page.context().close();
  },

  async "each pane, light and dark, is free of serious findings"(desk) {
    const { page } = desk;
    const found = [];
    for (const colorScheme of ["light", "dark"]) {
      await page.emulateMedia({ colorScheme });
      for (const pane of PANES) {
        await go(desk, `/dev/${pane}${pane === "documents" ? "?q=lighthouses&as=ann@library.example" : ""}`);
        found.push(...(await findings(page)).map((one) => `${pane}, ${colorScheme}: ${one}`));
        await page.screenshot({ path: `pictures/${pane}-${colorScheme}.png` });
      }
    }
    await page.emulateMedia({ colorScheme: "light" });
    assert.deepEqual(found, []);
  },

  async "twenty thousand documents stay quick"(desk) {
    const { page } = desk;
    await registered(desk);
    await go(desk, "/dev/source");
    await page.fill('[name="v/books"]', "20000");
    await page.fill('[name="v/pause"]', "");
    await save(page);
    await go(desk, "/dev/sync");
    const run = await sync(desk);
    assert.equal(run.run.status, "completed");
    const times = [];
    const before = (await json(desk, "/dev/sync")).runs[1].run.id;
    const compare = `sync/compare?run=${run.run.id}&with=${before}`;
    for (const pane of [...PANES, "documents?q=glaciers", "documents?as=ann@library.example", compare]) {
      const begun = spent(desk.dev.pid);
      for (let round = 0; round < ROUNDS; round++) await (await desk.context.request.get(`${desk.origin}/dev/${pane}`)).text();
      const time = (spent(desk.dev.pid) - begun) / ROUNDS;
      times.push([pane.replace(/\?run.*/, ""), Math.round(time)]);
    }
    await go(desk, "/dev/documents");
    const session = await page.context().newCDPSession(page);
    await session.send("HeapProfiler.collectGarbage");
    const heap = (await session.send("Runtime.getHeapUsage")).usedSize / 2 ** 20;
    assert.ok(heap < 60, `the tab takes ${heap} MB`);
    console.log("    ", times.map(([pane, time]) => `${pane} ${time}`).join(", "), `ms of processor time; heap of the tab ${Math.round(heap)} MB`);
    const sizes = ["page.css", "page.js"].map(async (name) => (await (await desk.context.request.get(`${desk.origin}/dev/assets/${name}`)).body()).length);
    const assets = (await Promise.all(sizes)).reduce((sum, size) => sum + size, 0);
    console.log(`     assets ${Math.round(assets / 1024)} KB`);
    assert.ok(assets <= 100 * 1024, `the assets are ${assets} bytes`);
    const slow = times.filter(([, time]) => time > (Number(process.env.PANE_MS) || 150));
    assert.deepEqual(slow, []);
  },
};

const desk = await open(command);
let passed = 0;
let failed = 0;
for (const [name, story] of Object.entries(stories)) {
  if (wanted && !name.includes(wanted)) continue;
  const began = Date.now();
  let fault;
  try {
    await story(desk);
    if (desk.faults.length > 0) fault = desk.faults.splice(0).join("\n");
  } catch (error) {
    fault = error.stack;
    await desk.page.screenshot({ path: `pictures/failed.png` }).catch(() => {});
  }
  console.log(`${fault ? "FAILED" : "ok"}  ${name} (${((Date.now() - began) / 1000).toFixed(1)} s)`);
  if (!fault) {
    passed += 1;
    continue;
  }
  console.log(fault.replaceAll(/^/gm, "      "));
  failed += 1;
  // A story begins where the one before it ended.
  console.log("      The stories after it are not played.");
  break;
}
const code = await desk.close();
if (code === 0) passed += 1;
else failed += 1;
console.log(`${code === 0 ? "ok" : "FAILED"}  the command ends with 0 (it ended with ${code})`);
console.log(`${passed} passed, ${failed} failed`);
process.exit(failed > 0 ? 1 : 0);
