/**
 * The TaskManagers of the cluster: registration, life signs, their slots.
 *
 * R1  A TaskManager is known by its process (`resourceId`) and counts from its registration to the end of
 *     its connection. Then its slots are gone, and whoever held them is told, once.
 * R2  A new process of the same name, or a new connection of the same process, replaces the old one.
 * R3  A slot is given to somebody else only after the TaskManager has said that its isolate is gone. One
 *     that cannot say so loses its connection.
 * R4  A TaskManager makes as many slots at a time as it has cores. Each is a thread that loads its code: a
 *     hundred of them at once would take so long that none listens before the call for it times out.
 */
import type { Split } from '../../../api/source.ts';
import { PROTOCOL_VERSION } from '../../../record/documents.ts';
import type { HeartbeatConfig } from '../../../contract/runtime-config.ts';
import type { Logger } from '../../logging/logger.ts';
import type { Clock } from '../../../contract/clock.ts';
import { describeReason, type RpcConnection } from '../../rpc/connection.ts';
import type {
  JobManagerApi,
  RegistrationResponse,
  SlotAllocation,
  SlotLocation,
  SlotLoss,
  SplitRequest,
  TaskChange,
  TaskManagerApi,
  TaskManagerRegistration,
  TaskManagerReport,
} from '../../rpc/protocol.ts';
import { nameOf } from '../../../contract/resource-id.ts';
import { RpcError } from '../../rpc/rpc-error.ts';
import type { SlotAllocationInfo, SlotGrant, SlotManager, SlotRequest } from './slot-manager.ts';
import { Turns } from './turns.ts';

/** A registered TaskManager. */
export interface TaskManager {
  /** `taskmanager-0/3f2a…` */
  readonly id: string;
  /** `taskmanager-0` */
  readonly name: string;
  readonly registration: TaskManagerRegistration;
  readonly connection: RpcConnection<TaskManagerApi>;
  /** Epoch milliseconds. */
  readonly registeredAt: number;
  /** R4 */
  readonly slotTurns: Turns;
  /** Of its last heartbeat. */
  report: TaskManagerReport | null;
}

/** Who is told what TaskManagers say about tasks. `from` is the TaskManager's id. */
export interface TaskEvents {
  taskChanged(from: string, change: TaskChange): void;
  requestSplit(from: string, request: SplitRequest): Promise<Split | null>;
  slotLost(from: string, loss: SlotLoss): void;
  reported(from: string, report: TaskManagerReport): void;
  /** R1. `why` is for people. */
  taskManagerLost(
    taskManager: TaskManager,
    allocations: readonly SlotAllocationInfo[],
    why: string,
  ): void;
}

export interface ResourceManagerOptions {
  readonly slots: SlotManager;
  /** Leader epoch. */
  readonly epoch: number;
  /** Of this JobManager. */
  readonly resourceId: string;
  readonly heartbeat: HeartbeatConfig;
  /** Asked for when needed: the receiver may be made later than this. */
  readonly events: () => TaskEvents;
  readonly logger: Logger;
  readonly clock: Clock;
}

/** The end of the cluster, as far as its TaskManagers are concerned. */
interface Dismissal {
  readonly expected: number;
  /** Ids of those that were told. */
  readonly told: Set<string>;
  readonly resolve: () => void;
}

const maxSlots = 1024;
/** R4: also with a single core one slot is made while another waits for its file. */
const minSlotTurns = 2;

export class ResourceManager {
  readonly #options: ResourceManagerOptions;
  readonly #taskManagers = new Map<string, TaskManager>();
  /** What processes held when they were lost, to be freed if they come back. */
  readonly #abandoned = new Map<string, string[]>();
  /** Of all TaskManagers that ever registered. */
  readonly #names = new Set<string>();
  #dismissal: Dismissal | null = null;

  constructor(options: ResourceManagerOptions) {
    this.#options = options;
  }

  /** In the order of registration. */
  get taskManagers(): readonly TaskManager[] {
    return [...this.#taskManagers.values()];
  }

  /** Of this JobManager. */
  get epoch(): number {
    return this.#options.epoch;
  }

  get slots(): SlotManager {
    return this.#options.slots;
  }

  taskManager(id: string): TaskManager | null {
    return this.#taskManagers.get(id) ?? null;
  }

  /** @returns how to withdraw the request. */
  requestSlots(request: SlotRequest): () => void {
    return this.#options.slots.request(request);
  }

  /** Calls a TaskManager. Rejects with RpcError; `closed` when it is not there. */
  call<M extends keyof TaskManagerApi>(
    id: string,
    method: M,
    ...args: Parameters<TaskManagerApi[M]>
  ): Promise<Awaited<ReturnType<TaskManagerApi[M]>>> {
    const taskManager = this.#taskManagers.get(id);
    if (!taskManager) return Promise.reject(new RpcError('closed', `${id} is not registered`));
    const { connection } = taskManager;
    return connection.call(method, ...(args as never)) as Promise<
      Awaited<ReturnType<TaskManagerApi[M]>>
    >;
  }

  /**
   * Makes a slot's isolate when it is its turn (R4). Rejects as `call` does.
   * @param signal aborted when it is no longer wanted, for example because its job was cancelled meanwhile.
   * @returns `null`: it was not wanted any more when its turn had come.
   */
  async makeSlot(
    taskManagerId: string,
    request: SlotAllocation,
    signal: AbortSignal,
  ): Promise<SlotLocation | null> {
    const make = async () =>
      signal.aborted ? null : this.call(taskManagerId, 'allocateSlot', request);
    return this.#taskManagers.get(taskManagerId)?.slotTurns.run(make) ?? make();
  }

  /** Ends a slot's isolate and gives the slot back (R3). Never rejects. */
  async freeSlot({ allocationId, taskManagerId }: SlotGrant, jobId: string): Promise<void> {
    const taskManager = this.#taskManagers.get(taskManagerId);
    if (!taskManager) return; // the slot went with it
    const { connection } = taskManager;
    try {
      await connection.call('freeSlot', { allocationId, jobId });
    } catch (error) {
      if (this.#taskManagers.get(taskManagerId) !== taskManager) return;
      const { logger } = this.#options;
      logger.error('TaskManager cannot free a slot, disconnecting it', {
        taskManager: taskManagerId,
        allocationId,
        error,
      });
      this.#lose(taskManager, 'it could not free a slot');
    }
    this.#options.slots.release(allocationId);
  }

  /**
   * Tells all TaskManagers that the cluster has ended, and those that come later too. Waits until
   * `expected` different ones were told, so that none is left looking for a JobManager, at most `timeoutMs`.
   */
  async dismiss(expected: number, timeoutMs: number): Promise<void> {
    const { clock, logger } = this.#options;
    let stop = () => {};
    const late = new Promise<void>((resolve) => (stop = clock.after(timeoutMs, resolve)));
    const told = new Promise<void>((resolve) => {
      this.#dismissal = { expected, told: new Set(), resolve };
    });
    for (const taskManager of this.taskManagers) void this.#dismissOne(taskManager);
    this.#checkDismissed();
    await Promise.race([told, late]);
    stop();
    logger.info('TaskManagers dismissed', { taskManagers: [...this.#names] });
  }

  /** `dismiss` waits for those alone that are here. */
  expectNone(): void {
    if (this.#dismissal !== null) this.#dismissal = { ...this.#dismissal, expected: 0 };
    this.#checkDismissed();
  }

  async #dismissOne({ connection, id }: TaskManager): Promise<void> {
    try {
      await connection.call('dismiss');
    } catch (error) {
      this.#options.logger.warn('TaskManager did not confirm its dismissal', {
        taskManager: id,
        error,
      });
    }
    this.#dismissal?.told.add(id);
    this.#checkDismissed();
  }

  #checkDismissed(): void {
    if (this.#dismissal === null) return;
    const { expected, resolve, told } = this.#dismissal;
    const allTold = this.taskManagers.every(({ id }) => told.has(id));
    if (allTold && this.#names.size >= expected) resolve();
  }

  /** What a TaskManager that has just connected may call. */
  connected(connection: RpcConnection<TaskManagerApi>): JobManagerApi {
    let self: TaskManager | null = null;
    const events = (): TaskEvents => this.#options.events();
    const registered = (): TaskManager => {
      if (self === null || this.#taskManagers.get(self.id) !== self) {
        throw new RpcError('stale', 'this TaskManager is not registered');
      }
      return self;
    };
    return {
      register: async (registration) => {
        self = this.#register(connection, registration);
        return this.#response(self);
      },
      heartbeat: async (report) => {
        const taskManager = registered();
        taskManager.report = report;
        events().reported(taskManager.id, report);
      },
      taskChanged: async (change) => events().taskChanged(registered().id, change),
      requestSplit: async (request) => events().requestSplit(registered().id, request),
      slotLost: async (loss) => events().slotLost(registered().id, loss),
    };
  }

  #register(
    connection: RpcConnection<TaskManagerApi>,
    registration: TaskManagerRegistration,
  ): TaskManager {
    const { clock, logger, slots } = this.#options;
    const id = connection.remote ?? '';
    const known = this.#taskManagers.get(id);
    if (known?.connection === connection) return known; // P3
    refuseRegistration(id, registration);
    const name = nameOf(id);
    for (const other of this.taskManagers) {
      if (other.name === name) this.#lose(other, `${id} took its place`); // R2
    }
    for (const old of this.#abandoned.keys()) {
      if (old !== id && old.startsWith(`${name}/`)) this.#abandoned.delete(old); // that process is gone
    }
    const taskManager = {
      id,
      name,
      registration,
      connection,
      registeredAt: clock.now(),
      slotTurns: new Turns(Math.max(minSlotTurns, registration.cpuCores)),
      report: null,
    };
    this.#taskManagers.set(id, taskManager);
    this.#names.add(name);
    logger.info('TaskManager registered', {
      taskManager: id,
      slots: registration.slots,
      address: registration.address,
    });
    void connection.closed.then((reason) => this.#lose(taskManager, describeReason(reason)));
    if (this.#dismissal) void this.#dismissOne(taskManager);
    else slots.addTaskManager(id, registration.slots);
    return taskManager;
  }

  #response({ id }: TaskManager): RegistrationResponse {
    const { epoch, heartbeat, resourceId } = this.#options;
    const freeAllocations = this.#abandoned.get(id) ?? [];
    return { epoch, jobManagerResourceId: resourceId, heartbeat, freeAllocations };
  }

  /** R1: the one way a TaskManager is lost. */
  #lose(taskManager: TaskManager, why: string): void {
    const { id, connection } = taskManager;
    if (this.#taskManagers.get(id) !== taskManager) return;
    this.#taskManagers.delete(id);
    connection.close();
    const { logger, slots } = this.#options;
    const allocations = slots.removeTaskManager(id);
    if (allocations.length > 0) {
      const before = this.#abandoned.get(id) ?? [];
      this.#abandoned.set(id, [...before, ...allocations.map((a) => a.allocationId)]);
    }
    if (this.#dismissal) logger.info('TaskManager left', { taskManager: id });
    else logger.warn('TaskManager lost', { taskManager: id, why, slotsInUse: allocations.length });
    this.#options.events().taskManagerLost(taskManager, allocations, why);
  }
}

function refuseRegistration(
  id: string,
  { protocol, slots, address, cpuCores }: TaskManagerRegistration,
): void {
  const right =
    /^[^/]+\/.+$/.test(id) &&
    Number.isInteger(slots) &&
    slots >= 1 &&
    slots <= maxSlots &&
    Number.isInteger(cpuCores) &&
    typeof address === 'string';
  if (protocol !== PROTOCOL_VERSION) {
    throw new RpcError(
      'failed',
      `this JobManager speaks protocol ${PROTOCOL_VERSION}, the TaskManager ${protocol}`,
    );
  }
  if (!right)
    throw new RpcError('failed', `${id} did not say properly who it is and what it offers`);
}
