"""The options of sbatch, sorted by what they do here. Source: sbatch(1) and ``src/common/slurm_opt.c`` of 22.05 to 26.05."""
from __future__ import annotations

from clustersim.messages import N_
from clustersim.slurm.schema import words

# Read here, with the key of a workload file that each becomes.
READ = {
    "job-name": "job_name", "nodes": "nodes", "ntasks": "ntasks", "ntasks-per-node": "ntasks_per_node",
    "cpus-per-task": "cpus_per_task", "time": "time_limit_min", "partition": "partition", "qos": "qos", "account": "account",
    "nice": "nice", "gres": "gres", "gpus": "typed_gpus", "gpus-per-node": "typed_gpus_per_node",
    "gpus-per-task": "gpus_per_task", "exclusive": "exclusive", "constraint": "constraint", "nodelist": "nodelist",
    "exclude": "exclude", "hold": "hold", "begin": "begin", "requeue": "requeue", "no-requeue": "requeue",
    "reservation": "reservation", "switches": "switches", "dependency": "dependency", "array": "array",
}

# Changes no schedule.
PASSED_OVER = words("""
    acctg-freq autocomplete bb bbf chdir comment cpu-freq debugger-test error export export-file extra get-user-env gid gpu-bind
    gpu-freq help ignore-pbs input mail-type mail-user mcs-label mem-bind network no-kill open-mode output parsable
    oom-kill-step power profile propagate quiet signal tmp tres-bind uid umask usage verbose version wait wait-all-nodes
    wckey wrap hint distribution nodefile context container-type mem-update""")

# Changes the schedule and is not modelled.
NOT_MODELLED = words("""
    batch cluster-constraint clusters consolidate-segments contiguous core-spec cores-per-socket cpus-per-gpu
    deadline delay-boot external extra-node-info gpus-per-socket gres-flags kill-on-invalid-dep licenses mem
    mem-per-cpu mem-per-gpu mincpus ntasks-per-core ntasks-per-gpu ntasks-per-socket ntasks-per-tres overcommit
    oversubscribe prefer priority reboot resources resv-ports segment sockets-per-node spread-job
    spread-segments stepmgr test-only thread-spec threads-per-core time-min tres-per-task use-min-nodes
    container container-id""")

# Without a value, and with one or without.
FLAGS = words("""
    consolidate-segments contiguous external hold ignore-pbs no-requeue overcommit oversubscribe parsable quiet reboot
    spread-job spread-segments stepmgr test-only use-min-nodes usage help verbose version wait debugger-test""")
OPTIONAL = words("exclusive get-user-env nice no-kill oom-kill-step requeue resv-ports propagate")
OTHER_NAMES = {"tasks-per-node": "ntasks-per-node", "cluster": "clusters"}

SHORT = {
    "A": "account", "a": "array", "B": "extra-node-info", "b": "begin", "C": "constraint", "c": "cpus-per-task",
    "D": "chdir", "d": "dependency", "e": "error", "F": "nodefile", "G": "gpus", "H": "hold", "h": "help", "i": "input",
    "J": "job-name", "k": "no-kill", "L": "licenses", "M": "clusters", "m": "distribution", "N": "nodes", "n": "ntasks",
    "O": "overcommit", "o": "output", "p": "partition", "Q": "quiet", "q": "qos", "S": "core-spec", "s": "oversubscribe",
    "t": "time", "V": "version", "v": "verbose", "W": "wait", "w": "nodelist", "x": "exclude"}

_COUNT, _SIZE = (r"\d{1,9}", N_("a whole number")), (r"(?i)\d{1,15}([kmgt]b?)?", N_("a size such as 4000M or 4G"))
_MAILS = r"(NONE|BEGIN|END|FAIL|REQUEUE|ALL|INVALID_DEPEND|STAGE_OUT|TIME_LIMIT(_90|_80|_50)?|ARRAY_TASKS)"
# What stands behind options that have no effect here, where sbatch refuses anything else: (pattern, what is expected).
VALUES = {
    **dict.fromkeys(words("""
        mincpus ntasks-per-core ntasks-per-socket ntasks-per-gpu sockets-per-node cores-per-socket threads-per-core
        cpus-per-gpu core-spec thread-spec"""), _COUNT),
    **dict.fromkeys(words("mem mem-per-cpu mem-per-gpu tmp"), _SIZE),
    "gpus-per-socket": (r"([A-Za-z0-9][\w.+-]*:)?\d{1,9}", "[TYPE:]COUNT"),
    "priority": (r"(?i)\d{1,10}|top", N_("a whole number or TOP")),
    "kill-on-invalid-dep": (r"(?i)yes|no", "yes, no"),
    "wait-all-nodes": (r"[01]", "0, 1"),
    "open-mode": (r"(?i)[at].*", "append, truncate"),
    "signal": (r"([RB]+:)?[A-Za-z0-9]+(@\d{1,5})?", "[B:]SIGNAL[@SECONDS]"),
    "mail-type": (rf"(?i){_MAILS}(,{_MAILS})*", "NONE, BEGIN, END, FAIL, REQUEUE, ALL, ..."),
    "hint": (r"(compute_bound|memory_bound|(no)?multithread)", "compute_bound, memory_bound, multithread, nomultithread"),
}
