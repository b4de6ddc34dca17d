// What does a worker do? It holds links to clients and serves them from copies of its server's channels.

import { AccessRules } from '../../channels/access/access-rules.ts';
import type { Source } from '../../channels/source.ts';
import { LimitError, reasonOf, RemoteProtocolError } from '../../protocol/errors.ts';
import { decodeAny } from '../../protocol/messages/data.ts';
import { KnownNames } from '../../protocol/known-names.ts';
import type { Reader } from '../../protocol/reader.ts';
import type { TypeReceiver } from '../../protocol/types/wire.ts';
import type { Clock, TimerHandle } from '../../transport/clocks.ts';
import type { TcpConnection } from '../../transport/network.ts';
import type { HandedConnection } from '../../transport/processes.ts';
import type { Vitals } from '../../transport/vitals.ts';
import { AccessControl } from '../access-control.ts';
import { Directory } from '../directory.ts';
import { LinkLedger } from '../link-ledger.ts';
import { Links } from '../links.ts';
import { MemoryWatch } from '../memory-watch.ts';
import { newCounters, NoticeBoard } from '../notices.ts';
import { PutLog } from '../put-log.ts';
import { limitsWithin } from '../system-limits.ts';
import { UnsentLedger } from '../unsent-ledger.ts';
import { AskedRequests } from './asked.ts';
import { HeldConnection } from './held-connection.ts';
import { encodeCounters, TELL_LEVELS, TO_SERVER, TO_WORKER, type WorkerRules, type WorkerSetup } from './messages.ts';
import { Pipe } from './pipe.ts';
import { ServerSource } from './server-source.ts';

export interface WorkerOptions {
  /** The pipe to the server. */
  readonly connection: TcpConnection;
  readonly clock: Clock;
  /** How its process is; undefined where nobody measures it. */
  readonly vitals?: Vitals;
  /** Called when the server has said that this is the end. */
  readonly ending: () => void;
  /** Called once, when the pipe is gone; with the fault that ended it, if there was one. */
  readonly ended: (fault: string | undefined) => void;
}

/** What there is once the worker has been set up. */
interface Serving {
  readonly links: Links;
  readonly access: AccessControl;
  readonly timer: TimerHandle;
}

type Handler = (body: Reader, types: TypeReceiver) => void;

/** How often counters are told and idle channels are looked for. */
const LOOK_MS = 1_000;
/** A worker has no PV but those of its server. */
const NO_PVS: Source = { has: () => false, open: () => undefined, names: () => [], revision: 0 };

export class Worker {
  readonly #clock: Clock;
  readonly #vitals: Vitals | undefined;
  readonly #pipe: Pipe;
  readonly #asked: AskedRequests;
  readonly #source: ServerSource;
  readonly #counters = newCounters();
  readonly #ending: () => void;
  readonly #connections = new Set<HeldConnection>();
  #serving: Serving | undefined;
  #isHolding = false;
  #isCountDue = false;
  readonly #handlers: ReadonlyMap<number, Handler> = new Map<number, Handler>([
    [TO_WORKER.setup, (body) => this.#setUp(body.string())],
    [TO_WORKER.access, (body) => this.#setRules(body.string())],
    [TO_WORKER.names, (body) => this.#source.readNames(body)],
    [TO_WORKER.opened, (body, types) => this.#source.readOpened(body, types)],
    [TO_WORKER.update, (body, types) => this.#source.readUpdate(body, types)],
    [TO_WORKER.finish, (body) => this.#source.readFinish(body)],
    [TO_WORKER.closed, (body) => this.#source.readClosed(body)],
    [TO_WORKER.released, (body) => this.#source.readReleased(body)],
    [TO_WORKER.done, (body, types) => this.#done(body, types)],
    [TO_WORKER.refused, (body) => this.#asked.refused(body.u32(), body.string())],
    [TO_WORKER.tell, (body) => this.#tell(body)],
    [TO_WORKER.endName, (body) => this.#serving?.links.endChannelsNamed(body.string())],
    [TO_WORKER.drain, (body) => this.#drain(body.f64())],
    [TO_WORKER.close, () => this.#end()],
  ]);

  constructor({ connection, clock, vitals, ending, ended }: WorkerOptions) {
    this.#clock = clock;
    this.#vitals = vitals;
    this.#ending = ending;
    this.#pipe = new Pipe({
      connection,
      clock,
      isServer: false,
      receive: (command, body, types) => this.#receive(command, body, types),
      full: () => this.#hold(),
      room: () => this.#release(),
      closed: (fault) => {
        this.#close();
        ended(fault);
      },
    });
    this.#asked = new AskedRequests(this.#pipe);
    this.#source = new ServerSource(this.#pipe, this.#asked);
  }

  /** Takes a connection over that the server accepted; its other port is that for MessagePack. */
  accept({ connection: accepted, address, otherPort: msgpackPort }: HandedConnection): void {
    if (this.#serving === undefined) return accepted?.destroy();
    if (accepted === undefined) {
      // The server counts it among the links of this worker.
      this.#counters.linksOpened++;
      this.#counters.linksClosed++;
      return this.#gone(address);
    }
    const connection = new HeldConnection(accepted, (gone) => this.#connections.delete(gone));
    this.#connections.add(connection);
    if (this.#isHolding) connection.hold();
    this.#serving.links.accept(connection, { tcpPort: connection.local.port, msgpackPort });
    this.#countSoon();
  }

  #receive(command: number, body: Reader, types: TypeReceiver): void {
    const handler = this.#handlers.get(command);
    if (handler === undefined) throw new RemoteProtocolError(`message ${command} of a server, which is none`);
    handler(body, types);
  }

  #setUp(text: string): void {
    if (this.#serving !== undefined) throw new RemoteProtocolError('a worker is set up once');
    // Of the same program, which started this one.
    const setup = JSON.parse(text) as WorkerSetup;
    const { limits, guid, bigEndian, connectionTimeoutMs, maxMemoryBytes } = setup;
    this.#pipe.useLimits(limits);
    const notices = new NoticeBoard();
    notices.listen((notice) => this.#sendText(TO_SERVER.notice, notice));
    const access = new AccessControl(rulesOf(setup), notices);
    const directory = new Directory(NO_PVS, notices);
    directory.add(this.#source);
    const clock = this.#clock;
    const links = new Links(
      {
        directory,
        access,
        names: new KnownNames(),
        putLog: setup.logsPuts
          ? new PutLog((entry) => this.#sendText(TO_SERVER.putLog, entry), clock, notices)
          : undefined,
        notices,
        counters: this.#counters,
        clock,
        limits,
        guid,
        bigEndian,
        connectionTimeoutMs,
        ledger: new LinkLedger(limits),
        unsent: new UnsentLedger(limitsWithin(limits, maxMemoryBytes)),
        isDraining: false,
      },
      (address) => this.#gone(address),
    );
    links.watch();
    const memory = new MemoryWatch(maxMemoryBytes, notices, this.#vitals?.collect);
    const timer = clock.every(LOOK_MS, () => {
      this.#source.look();
      this.#tellVitals(memory, links);
      this.#countSoon();
    });
    this.#serving = { links, access, timer };
    this.#pipe.send(TO_SERVER.ready, () => undefined);
  }

  #setRules(text: string): void {
    if (this.#serving === undefined) return;
    // Of the same program, which started this one.
    this.#serving.access.access = rulesOf(JSON.parse(text) as WorkerRules);
    this.#serving.links.reviseRights();
  }

  #tellVitals(memory: MemoryWatch, links: Links): void {
    const signs = this.#vitals?.take();
    if (signs === undefined) return;
    memory.look(signs.memoryBytes, links);
    this.#pipe.send(TO_SERVER.vitals, (writer) => {
      writer.f64(signs.memoryBytes);
      writer.f64(signs.loopDelayMs);
      writer.boolean(links.admission.isPaused);
    });
  }

  #drain(ms: number): void {
    const drained = (): void => this.#pipe.send(TO_SERVER.drained, () => undefined);
    if (this.#serving === undefined) return drained();
    this.#serving.links.drain(ms).then(drained, drained);
  }

  /** A connection that was handed over is gone. */
  #gone(address: string): void {
    this.#pipe.send(TO_SERVER.gone, (writer) => writer.string(address));
    this.#countSoon();
  }

  #end(): void {
    this.#ending();
    this.#close();
  }

  /** Ends the links in good order, and then the pipe. */
  #close(): void {
    this.#serving?.timer.cancel();
    this.#closeLinks().catch(() => this.#pipe.end());
  }

  async #closeLinks(): Promise<void> {
    await this.#serving?.links.close();
    this.#count();
    this.#pipe.end();
  }

  /** The server does not take what clients ask for: nothing more is read from them. */
  #hold(): void {
    if (this.#isHolding) return;
    this.#isHolding = true;
    for (const connection of this.#connections) connection.hold();
  }

  #release(): void {
    if (!this.#isHolding) return;
    this.#isHolding = false;
    for (const connection of this.#connections) connection.release();
  }

  #done(body: Reader, types: TypeReceiver): void {
    const request = body.u32();
    try {
      this.#asked.done(request, decodeAny(body, types));
    } catch (thrown) {
      // A handler may give more than a worker takes: that is for its client to hear.
      if (!(thrown instanceof LimitError)) throw thrown;
      this.#asked.refused(request, reasonOf(thrown));
    }
  }

  #tell(body: Reader): void {
    const request = body.u32();
    const level = TELL_LEVELS[body.u8()];
    if (level === undefined) throw new RemoteProtocolError('a sentence for a client at a level that is none');
    this.#asked.tell(request, level, body.string());
  }

  #sendText(command: number, said: object): void {
    this.#pipe.send(command, (writer) => writer.string(JSON.stringify(said)));
  }

  #countSoon(): void {
    if (this.#isCountDue) return;
    this.#isCountDue = true;
    this.#clock.soon(() => {
      this.#isCountDue = false;
      this.#count();
    });
  }

  #count(): void {
    this.#pipe.send(TO_SERVER.counters, (writer) => encodeCounters(writer, this.#counters));
  }
}

function rulesOf({ rules, otherwise }: WorkerRules): AccessRules {
  return new AccessRules(rules, { otherwise });
}
