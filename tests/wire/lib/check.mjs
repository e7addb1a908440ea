// One line per check, one closing line, exit status 1 when something failed.

const TIMEOUT_MS = 20_000;
const PATIENCE = Number(process.env.ENC_PATIENCE ?? 1); /* programs under a sanitizer are slow */

function withTimeout(promise, ms) {
  let timer;
  const late = new Promise((_, reject) => {
    timer = setTimeout(() => reject(new Error(`no result after ${ms} ms`)), ms);
  });
  return Promise.race([promise, late]).finally(() => clearTimeout(timer));
}

const brief = (error) => (error.stack ?? String(error)).split('\n').slice(0, 14).join('\n    ');

class Suite {
  passed = 0;
  failed = 0;
  skipped = 0;
  #only = process.env.ONLY ? new RegExp(process.env.ONLY) : null;

  /** Run one check; a failure is printed and the suite goes on. */
  check = async (name, body, timeout = TIMEOUT_MS) => {
    if (this.#only && !this.#only.test(name)) return;
    try {
      await withTimeout(Promise.resolve().then(body), timeout * PATIENCE);
      this.passed++;
      console.log(`ok      ${name}`);
    } catch (error) {
      this.failed++;
      console.log(`FAILED  ${name}\n    ${brief(error)}`);
    }
  };

  skip = (name, why) => {
    this.skipped++;
    console.log(`skipped ${name}: ${why}`);
  };

  finish() {
    console.log(`${this.passed} passed, ${this.failed} failed, ${this.skipped} skipped`);
    process.exit(this.failed > 0 || this.passed === 0 ? 1 : 0);
  }
}

/** Run a file's checks. An error outside a check counts as a failed check. */
export async function runSuite(body) {
  const suite = new Suite();
  try {
    await body(suite);
  } catch (error) {
    suite.failed++;
    console.log(`FAILED  the suite itself\n    ${brief(error)}`);
  }
  suite.finish();
}
