"""The options of sbatch, sorted by what they do here. Source: sbatch(1) of 22.05 to 25.11."""
from __future__ import annotations

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
    acctg-freq bb bbf chdir comment cpu-freq debugger-test error export export-file extra get-user-env gid gpu-bind
    gpu-freq help ignore-pbs input mail-type mail-user mcs-label mem-bind network no-kill open-mode output parsable
    power profile propagate quiet signal tmp tres-bind uid umask usage verbose version wait wait-all-nodes wckey wrap
    hint distribution nodefile""")

# Changes the schedule and is not modelled.
NOT_MODELLED = words("""
    batch cluster-constraint clusters consolidate-segments contiguous core-spec cores-per-socket deadline delay-boot
    extra-node-info gpus-per-socket gres-flags kill-on-invalid-dep licenses mem mem-per-cpu mem-per-gpu mincpus
    ntasks-per-core ntasks-per-gpu ntasks-per-socket overcommit oversubscribe prefer priority reboot resv-ports
    segment sockets-per-node spread-job stepmgr test-only thread-spec threads-per-core time-min tres-per-task
    use-min-nodes container container-id""")

# Without a value, and with one or without.
FLAGS = words("""
    contiguous hold ignore-pbs no-requeue overcommit oversubscribe parsable quiet reboot requeue spread-job stepmgr
    test-only use-min-nodes usage help verbose version wait debugger-test""")
OPTIONAL = words("exclusive get-user-env nice no-kill resv-ports propagate")

SHORT = {
    "A": "account", "a": "array", "B": "extra-node-info", "b": "begin", "C": "constraint", "c": "cpus-per-task",
    "D": "chdir", "d": "dependency", "e": "error", "F": "nodefile", "G": "gpus", "H": "hold", "h": "help", "i": "input",
    "J": "job-name", "k": "no-kill", "L": "licenses", "M": "clusters", "m": "distribution", "N": "nodes", "n": "ntasks",
    "O": "overcommit", "o": "output", "p": "partition", "Q": "quiet", "q": "qos", "S": "core-spec", "s": "oversubscribe",
    "t": "time", "V": "version", "v": "verbose", "W": "wait", "w": "nodelist", "x": "exclude"}
