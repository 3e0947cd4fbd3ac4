import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { closeSync, existsSync, mkdirSync, openSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { hostname } from 'node:os';
import { join } from 'node:path';

const needed = ['munged', 'slurmctld', 'slurmd', 'sbatch', 'mariadbd', 'mariadb-install-db', 'slurmdbd'];

/** Why no cluster can be started here; undefined where one can. */
export function missing(): string | undefined {
  if (process.getuid?.() !== 0) return 'not root';
  const absent = needed.filter((name) => !['/usr/sbin', '/usr/bin'].some((folder) => existsSync(join(folder, name))));
  return absent.length === 0 ? undefined : `without ${absent.join(', ')}`;
}

/** Slurm on one machine with its accounting, all of it under one folder and on ports of its own. */
export class Cluster {
  private readonly daemons: ChildProcess[] = [];
  private readonly host = hostname().split('.')[0]!;

  private constructor(private readonly folder: string) {}

  /** @param folder an empty one */
  static async start(folder: string): Promise<Cluster> {
    const cluster = new Cluster(folder);
    try {
      await cluster.bringUp();
    } catch (error) {
      await cluster.stop();
      throw error;
    }
    return cluster;
  }

  /** What its commands need in their environment. */
  get env(): Readonly<Record<string, string>> {
    return { SLURM_CONF: join(this.folder, 'slurm.conf') };
  }

  /** The daemon that has ended, and so will bring about nothing more. */
  get lost(): string | undefined {
    const over = this.daemons.find(({ exitCode, signalCode }) => exitCode !== null || signalCode !== null);
    return over && `${over.spawnfile} has ended`;
  }

  /** Tries until it does not throw, as long as all daemons live. */
  until<T>(work: () => T): Promise<T> {
    return until(work, () => this.lost);
  }

  /** Runs a command of Slurm. */
  run(command: string, ...args: string[]): string {
    return execFileSync(command, args, {
      env: { ...process.env, ...this.env },
      encoding: 'utf8',
      stdio: ['ignore', 'pipe', 'pipe'],
    });
  }

  /** Ends what it started, last things first. */
  async stop(): Promise<void> {
    for (const daemon of this.daemons.reverse()) {
      if (daemon.exitCode !== null || daemon.signalCode !== null) continue;
      const over = new Promise((resolve) => daemon.once('exit', resolve));
      daemon.kill('SIGTERM');
      const timer = setTimeout(() => daemon.kill('SIGKILL'), 10_000);
      await over;
      clearTimeout(timer);
    }
  }

  private async bringUp(): Promise<void> {
    const [controller, node, accounting, database] = await Promise.all([
      freePort(),
      freePort(),
      freePort(),
      freePort(),
    ]);
    const at = (...names: string[]): string => join(this.folder, ...names);
    for (const name of ['run', 'spool', 'state', 'db', 'log']) mkdirSync(at(name), { mode: 0o755 });
    const socket = at('run/munge.socket');
    writeFileSync(at('munge.key'), randomBytes(1024), { mode: 0o400 });
    writeFileSync(at('slurmdbd.conf'), lines(accountingConfig({ at, socket, accounting, database })), { mode: 0o600 });
    writeFileSync(at('slurm.conf'), lines(this.config({ at, socket, controller, node, accounting })));

    this.daemon(
      ...['munged', '--foreground', '--force', `--key-file=${at('munge.key')}`, `--socket=${socket}`],
      ...[`--pid-file=${at('run/munged.pid')}`, `--log-file=${at('log/munge')}`, `--seed-file=${at('run/seed')}`],
    );
    const data = ['--no-defaults', `--datadir=${at('db')}`, '--user=root'];
    execFileSync('mariadb-install-db', [...data, '--auth-root-authentication-method=normal', '--skip-test-db'], {
      stdio: 'ignore',
    });
    const dbSocket = at('run/db.socket');
    const loopback = [`--port=${database}`, '--bind-address=127.0.0.1', '--innodb-buffer-pool-size=64M'];
    this.daemon('mariadbd', ...data, `--socket=${dbSocket}`, ...loopback);
    const users = ['127.0.0.1', 'localhost'].map((from) => `grant all on *.* to weir@'${from}' identified by 'weir'`);
    await this.until(() =>
      execFileSync('mariadb', ['--no-defaults', `--socket=${dbSocket}`, '-uroot', '-e', users.join(';')], {
        stdio: 'pipe',
      }),
    );
    await this.until(() => existsSync(socket) || absent(socket));
    this.daemon('slurmdbd', '-D');
    await this.until(() => this.run('sacctmgr', '-i', 'add', 'cluster', 'weir'));
    this.daemon('slurmctld', '-D', '-i');
    this.daemon('slurmd', '-D');
    await this.until(() => /idle/.test(this.run('sinfo', '--noheader', '--format=%t')) || absent('an idle node'));
  }

  private daemon(command: string, ...args: string[]): void {
    const log = openSync(join(this.folder, 'log', `${command}.out`), 'a');
    this.daemons.push(spawn(command, args, { env: { ...process.env, ...this.env }, stdio: ['ignore', log, log] }));
    closeSync(log);
  }

  private config({ at, socket, controller, node, accounting }: Places): Record<string, string | number> {
    return {
      ClusterName: 'weir',
      SlurmctldHost: `${this.host}(127.0.0.1)`,
      SlurmUser: 'root',
      SlurmdUser: 'root',
      // A task that is queued again waits until its credential has expired.
      AuthType: 'auth/munge',
      AuthInfo: `socket=${socket},cred_expire=5`,
      SlurmctldPort: controller,
      SlurmdPort: node,
      SlurmctldPidFile: at('run/slurmctld.pid'),
      SlurmdPidFile: at('run/slurmd.pid'),
      SlurmdSpoolDir: at('spool'),
      StateSaveLocation: at('state'),
      ...{
        SlurmctldLogFile: at('log/slurmctld'),
        SlurmdLogFile: at('log/slurmd'),
        ProctrackType: 'proctrack/linuxproc',
      },
      TaskPlugin: 'task/none',
      MpiDefault: 'none',
      ReturnToService: 2,
      SchedulerType: 'sched/builtin',
      SelectType: 'select/cons_tres',
      SelectTypeParameters: 'CR_Core',
      JobAcctGatherType: 'jobacct_gather/none',
      AccountingStorageType: 'accounting_storage/slurmdbd',
      AccountingStorageHost: '127.0.0.1',
      AccountingStoragePort: accounting,
      AccountingStoragePass: socket,
      KillWait: 5,
      MinJobAge: 300,
      // Cores that it does not have, so that tasks can be requeued, cancelled and late side by side.
      SlurmdParameters: 'config_overrides',
      NodeName: `${this.host} NodeAddr=127.0.0.1 CPUs=8 Boards=1 SocketsPerBoard=1 CoresPerSocket=8 ThreadsPerCore=1`,
      PartitionName: `main Nodes=${this.host} Default=YES MaxTime=INFINITE State=UP`,
    };
  }
}

interface Places {
  readonly at: (...names: string[]) => string;
  readonly socket: string;
  readonly controller: number;
  readonly node: number;
  readonly accounting: number;
}

const accountingConfig = ({
  at,
  socket,
  accounting,
  database,
}: Pick<Places, 'at' | 'socket' | 'accounting'> & { readonly database: number }) => ({
  ...{
    AuthType: 'auth/munge',
    AuthInfo: `socket=${socket}`,
    DbdHost: 'localhost',
    DbdAddr: '127.0.0.1',
    DbdPort: accounting,
  },
  SlurmUser: 'root',
  LogFile: at('log/slurmdbd'),
  PidFile: at('run/slurmdbd.pid'),
  StorageType: 'accounting_storage/mysql',
  StorageHost: '127.0.0.1',
  StoragePort: database,
  StorageUser: 'weir',
  StoragePass: 'weir',
  StorageLoc: 'weir',
});

const lines = (settings: Readonly<Record<string, string | number>>): string =>
  Object.entries(settings)
    .map(([key, value]) => `${key}=${value}\n`)
    .join('');

function absent(what: string): never {
  throw new Error(`there is no ${what}`);
}

/**
 * Tries until it does not throw, however long a busy machine takes.
 *
 * @param lost why it can never come, where that is so: what it waits for has ended
 */
export async function until<T>(work: () => T, lost: () => string | undefined = () => undefined): Promise<T> {
  for (;;) {
    try {
      return work();
    } catch (error) {
      const why = lost();
      if (why !== undefined) throw new Error(`${why}: ${(error as Error).message}`);
      await new Promise((resolve) => setTimeout(resolve, 200));
    }
  }
}

function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer().once('error', reject);
    server.listen(0, '127.0.0.1', () => {
      const { port } = server.address() as { port: number };
      server.close(() => resolve(port));
    });
  });
}
