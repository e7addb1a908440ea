// Random commits for the forum Manifest: most are accepted, some have to be refused.

import { maskOf } from '../wire/lib/ac.mjs';
import { newKey } from '../wire/lib/keys.mjs';
import { OWNER_BIT } from '../wire/lib/rbac.mjs';
import { refersTo } from '../wire/lib/fixtures.mjs';

/* As often as they should be handed out: who is Member and Blocked meets the denies. */
const ROLES = ['Admin', 'Member', 'Member', 'Member', 'Blocked', 'Sink', 'Bell'];
const MOVES = [null, 'Member', 'Blocked'];
const CONTENT_TYPES = ['Post', 'Note', 'Secret'];

const WEIGHTS = { Post: 26, Note: 14, Secret: 3, Unknown: 1, Update: 14, Delete: 6, Grant: 12,
  Revoke: 6, Move: 6, Force_Move: 4, AC_Bundle: 6, Gate: 3, Pause: 2, Resume: 1,
  Transfer_Owner: 2, Again: 2 };

export class Workload {
  #count = 0;
  #sent = [];

  /** people: keys beside the owner's. */
  constructor(random, owner, people) {
    Object.assign(this, { random, keys: [owner, ...people] });
  }

  static withPeople(random, owner, n) {
    return new Workload(random, owner, Array.from({ length: n }, newKey));
  }

  get pubs() {
    return this.keys.map((key) => key.pub);
  }

  /** The next commit for target (a LocalNode or an Enclave with a model). */
  next(target, model) {
    if (model.status === 'paused' && this.random.chance(50)) {
      return target.make(this.owner(model), 'Resume');
    }
    const type = this.random.weighted(WEIGHTS);
    if (type === 'Again' && this.#sent.length > 0) return this.random.pick(this.#sent);
    const [key, content, more] = this.#build(type, model);
    const commit = target.make(key, type === 'Again' ? 'Post' : type, content, more);
    this.#sent.push(commit);
    return commit;
  }

  owner(model) {
    return this.keys.find((key) => maskOf(model.world, key.pub) & OWNER_BIT);
  }

  /** End a pause, and take from the Owner what may keep it from reading everything. */
  async settle(mirror) {
    const owner = this.owner(mirror.model);
    if (mirror.model.status === 'paused') await mirror.submit(mirror.make(owner, 'Resume'));
    const content = { identity: owner.pub, to: null, n: this.#count++ };
    await mirror.submit(mirror.make(owner, 'Force_Move', content));
  }

  #anyone() {
    return this.random.pick(this.keys);
  }

  #mostlyOwner(model) {
    return this.random.chance(75) ? this.owner(model) : this.#anyone();
  }

  #build(type, model) {
    if (type === 'Update' || type === 'Delete') return this.#edit(type, model);
    if (ENTRIES[type]) return [this.#mostlyOwner(model), this.#entry(type)];
    if (type === 'AC_Bundle') return [this.#mostlyOwner(model), this.#bundle()];
    if (type === 'Gate') return [this.#mostlyOwner(model), this.#gate()];
    if (type === 'Pause' || type === 'Resume') return [this.#mostlyOwner(model), ''];
    return [this.#anyone(), `${type} ${this.#count++} ${'é'.repeat(this.random.below(20))}`];
  }

  #edit(type, model) {
    const entries = [...model.entries.values()].slice(-40);
    const { event } = this.random.pick(entries);
    const author = this.keys.find((key) => key.pub === event.from);
    const key = this.random.chance(70) ? author : this.#anyone();
    const content = type === 'Update' ? `edit ${this.#count++}` : { note: `${this.#count++}` };
    return [key ?? this.#anyone(), content, refersTo(event.id)];
  }

  #entry(type) {
    return { ...ENTRIES[type](this.random, this.random.pick(this.pubs)), n: this.#count++ };
  }

  #bundle() {
    const length = 1 + this.random.below(4);
    const operations = Array.from({ length }, () => {
      const type = this.random.pick(BUNDLED);
      return { type, ...this.#entry(type) };
    });
    return { operations };
  }

  #gate() {
    const event = this.random.pick(CONTENT_TYPES);
    return { event, open: this.random.chance(60), n: this.#count++ };
  }
}

const ENTRIES = {
  Grant: (random, identity) => ({ identity, role: random.pick(ROLES) }),
  Revoke: (random, identity) => ({ identity, role: random.pick(ROLES) }),
  Move: (random, identity) => ({ identity, from: random.pick(MOVES), to: random.pick(MOVES) }),
  Force_Move: (random, identity) => ({ identity, to: random.pick(['Admin', 'Blocked', ...MOVES]) }),
  Transfer_Owner: (random, identity) => ({ new_owner: identity }),
};

/* Grants and moves to a few keys: a bundle of them is accepted now and then. */
const BUNDLED = ['Grant', 'Grant', 'Force_Move', 'Force_Move', 'Revoke', 'Move'];
