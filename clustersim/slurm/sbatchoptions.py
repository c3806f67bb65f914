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
    wckey wrap hint distribution nodefile context container-type mem-update runtime""")

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

_COUNT, _ANY = (r"[1-9]\d{0,8}", N_("a whole number above 0")), (r"\d{1,9}", N_("a whole number"))
_SIZE = (r"(?i)\d{1,15}([kmgt]b?)?", N_("a size such as 4000M or 4G"))
_MAILS = r"(NONE|BEGIN|END|FAIL|REQUEUE|ALL|INVALID_DEPEND|STAGE_OUT|TIME_LIMIT(_90|_80|_50)?|ARRAY_TASKS)"
_SIGNALS = "HUP|INT|QUIT|ABRT|KILL|ALRM|TERM|USR1|USR2|URG|CONT|STOP|TSTP|TTIN|TTOU|XCPU"
_DAY = r"(today|tomorrow|\d{4}-\d{1,2}-\d{1,2}|\d{1,2}[./]\d{1,2}([./](\d\d){1,2})?|\d{4}(\d\d)?)"
_HOUR = r"(\d{1,2}:\d\d(:\d\d(\.\d+)?)?\s*([ap]m)?|midnight|noon|fika|teatime)"
_DELTA = r"\d{1,9}\s*(s|m|h|d|w|seconds?|minutes?|hours?|days?|weeks?)?"
_SPEED = r"(\d{1,9}|low|medium|high|highm1)"  # of a processor or a GPU
_GOVERNOR = r"(conservative|ondemand|performance|powersave|schedutil|userspace)"
_RANGE, _MASK = r"(\d{1,9}k?(-\d{1,9}k?)?|\*)", r"(0x)?[0-9a-f]+(\*\d+)?"
_MEMORY = rf"(help|p(refer)?|(no)?sort|q(uiet)?|v(erbose)?|no(ne)?|rank|local|map_?mem:\w+(,\d\w*)*" \
          rf"|mask_?mem:{_MASK}(,{_MASK})*)"
_LIMIT = r"(RLIMIT_)?(AS|CORE|CPU|DATA|FSIZE|MEMLOCK|NOFILE|NPROC|RSS|STACK)"
_PROFILE = r"(energy|task|lustre|filesystem|network)"
_FREQUENCY = r"(task|energy|network|filesystem|lustre)=\d{1,9}"
_BLOCKS = r"(block|cyclic|\*)(:(block|cyclic|fcyclic|\*)){0,2}"
_FLAG = r"(disable-binding|enforce-binding|multiple-tasks-per-sharing|one-task-per-sharing)"
# What stands behind options that have no effect here, where sbatch refuses anything else: (pattern, what is expected).
VALUES = {
    **dict.fromkeys(words("""
        mincpus ntasks-per-core ntasks-per-socket ntasks-per-gpu ntasks-per-tres sockets-per-node cores-per-socket
        threads-per-core cpus-per-gpu thread-spec segment"""), _COUNT),
    **dict.fromkeys(words("mem mem-per-cpu mem-per-gpu tmp"), _SIZE),
    **dict.fromkeys(words("bbf export-file nodefile"), (r".+", N_("the name of a file"))),
    "core-spec": _ANY,
    "resv-ports": (r"\d{0,9}", _ANY[1]),
    "acctg-freq": (rf"(?i)\d{{1,9}}|{_FREQUENCY}(,{_FREQUENCY})*|", N_("seconds, or task=SECONDS and the like")),
    "cpu-freq": (rf"(?i)({_SPEED}|{_GOVERNOR})(-{_SPEED}(:{_GOVERNOR})?)?|{_SPEED}:{_GOVERNOR}",
                 N_("low, medium, high, highm1, kilohertz or a governor, such as low-high:OnDemand")),
    "deadline": (rf"(?i)now\s*([+-]\s*{_DELTA})?|uts\d{{7,12}}|{_DAY}([T\s-]*{_HOUR})?|{_HOUR}(\s*{_DAY})?",
                 N_("a time such as 16:00, tomorrow, 2030-01-31T12:00 or now+1hour")),
    "distribution": (rf"(?i)plane=[1-9]\d{{0,8}}|({_BLOCKS}|arbitrary|hostfile)(,(no)?pack)?|(no)?pack",
                     N_("block, cyclic, arbitrary or plane=SIZE, such as block:cyclic")),
    "extra-node-info": (rf"(?i){_RANGE}(:{_RANGE}){{0,2}}", N_("SOCKETS[:CORES[:THREADS]]")),
    "get-user-env": (r"(?i)\d{0,9}([sl].*)?", N_("[SECONDS][S|L]")),
    "gpu-bind": (rf"(?i)(verbose,)?(c[a-z]*|n[a-z]*|map_gpu:\d+(\*\d+)?(,\d+(\*\d+)?)*|mask_gpu:{_MASK}(,{_MASK})*"
                 r"|(per_task|single):\d{1,9})", "closest, none, single:N, per_task:N, map_gpu:..., mask_gpu:..."),
    "gpu-freq": (rf"(?i)(memory=)?{_SPEED}(,(memory=)?{_SPEED})*(,verbose)?",
                 N_("low, medium, high, highm1 or megahertz, such as medium,memory=high")),
    "gres-flags": (rf"(?i){_FLAG}(,{_FLAG})*", "disable-binding, enforce-binding"),
    "licenses": (r"[^:,;|()\s]+([:*]\d{1,9})?([,;|][^:,;|()\s]+([:*]\d{1,9})?)*", N_("NAME[:COUNT] between commas")),
    "mem-bind": (rf"(?i){_MEMORY}(,{_MEMORY})*", "none, local, rank, map_mem:..., mask_mem:..."),
    "mem-update": (r"[1-9]\d{0,4}@[\d:-]+", "MARGIN@DELAY"),
    "no-kill": (r"(?i)set|off|no|", "--no-kill, --no-kill=off"),
    "oom-kill-step": (r"[01]|", "0, 1"),
    "power": (r"(?i)level", "level"),
    "profile": (rf"(?i)none|all|{_PROFILE}(,{_PROFILE})*", "None, All, Energy, Task, Lustre, Network"),
    "propagate": (rf"ALL|NONE|{_LIMIT}(,{_LIMIT})*|", N_("ALL, NONE or names of limits, such as MEMLOCK,STACK")),
    "requeue": (r"(?i)expedite|", "--requeue, --requeue=expedite"),
    "gpus-per-socket": (r"([A-Za-z0-9][\w.+-]*:)?\d{1,9}(,[A-Za-z0-9][\w.+-]*:\d{1,9})*", "[TYPE:]COUNT"),
    "priority": (r"(?i)\d{1,10}|top", N_("a whole number or TOP")),
    "kill-on-invalid-dep": (r"(?i)yes|no", "yes, no"),
    "tres-per-task": (r"(?i)(cpu|mem|(gres|license)[/:][\w.+-]+(:[\w.+-]+)??)[:=]\d{1,9}[kmgt]?"
                      r"(,(cpu|mem|(gres|license)[/:][\w.+-]+(:[\w.+-]+)??)[:=]\d{1,9}[kmgt]?)*",
                      N_("NAME=COUNT between commas, such as cpu=4,gres/gpu=1")),
    "wait-all-nodes": (r"[01]", "0, 1"),
    "open-mode": (r"(?i)[at].*", "append, truncate"),
    "signal": (rf"(?i)[RB]{{0,2}}:?((SIG)?({_SIGNALS})|[1-9]\d?)(@\d{{1,5}})?", "[B:]SIGNAL[@SECONDS]"),
    "mail-type": (rf"(?i){_MAILS}(,{_MAILS})*", "NONE, BEGIN, END, FAIL, REQUEUE, ALL, ..."),
    "hint": (r"(?i)(compute_bound|memory_bound|(no)?multithread)", "compute_bound, memory_bound, multithread, nomultithread"),
}
