/** What `docker run --security-opt seccomp=FILE` and the engine's API take; all that no rule names is allowed. */
export interface SeccompProfile {
  readonly defaultAction: 'SCMP_ACT_ALLOW';
  readonly syscalls: readonly SeccompRule[];
}

interface SeccompRule {
  readonly names: readonly string[];
  readonly action: 'SCMP_ACT_ERRNO';
  readonly errnoRet: number;
  readonly args?: readonly {
    readonly index: number;
    readonly value: number;
    readonly op: 'SCMP_CMP_EQ';
  }[];
}

const notPermitted = 1;
const notThere = 38;

/**
 * What no tool and no agent needs, and what has let programs out of containers: the kernel itself, its memory and keys, its clocks and
 * disks, files by handle, programs in the kernel. The engine's own profile cannot be used, as it refuses user namespaces, without which
 * Codex has no sandbox, and tools no jail, inside the container.
 */
const refused: readonly string[] = [
  ...['init_module', 'finit_module', 'delete_module', 'create_module', 'query_module', 'get_kernel_syms'],
  ...['kexec_load', 'kexec_file_load', 'reboot', 'syslog', 'acct', 'nfsservctl', 'vhangup'],
  ...['bpf', 'perf_event_open', 'userfaultfd', 'kcmp', 'lookup_dcookie', 'fanotify_init'],
  ...['add_key', 'request_key', 'keyctl'],
  ...[
    'open_by_handle_at',
    'quotactl',
    'quotactl_fd',
    'swapon',
    'swapoff',
    'uselib',
    'ustat',
    'sysfs',
    '_sysctl',
  ],
  ...['settimeofday', 'stime', 'clock_settime', 'clock_settime64'],
  ...['adjtimex', 'clock_adjtime', 'clock_adjtime64'],
  ...['iopl', 'ioperm', 'vm86', 'vm86old', 'modify_ldt'],
  ...['move_pages', 'migrate_pages', 'process_vm_writev', 'process_madvise'],
];

/** Programs look for these and do without: they must seem not to exist. */
const hidden: readonly string[] = ['io_uring_setup', 'io_uring_enter', 'io_uring_register'];

/** Kinds of sockets that no network namespace holds (VSOCK reaches the host of a virtual machine), or that are doors into the kernel. */
const socketFamilies = { AF_ALG: 38, AF_VSOCK: 40 } as const;

export const seccompProfile: SeccompProfile = {
  defaultAction: 'SCMP_ACT_ALLOW',
  syscalls: [
    { names: refused, action: 'SCMP_ACT_ERRNO', errnoRet: notPermitted },
    { names: hidden, action: 'SCMP_ACT_ERRNO', errnoRet: notThere },
    ...Object.values(socketFamilies).map((family) => ({
      names: ['socket'],
      action: 'SCMP_ACT_ERRNO' as const,
      errnoRet: notPermitted,
      args: [{ index: 0, value: family, op: 'SCMP_CMP_EQ' as const }],
    })),
  ],
};
