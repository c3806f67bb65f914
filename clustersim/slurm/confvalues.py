"""What may stand behind the keys of slurm.conf, of its node lines and of its partition lines, also where the key has
no effect here: numbers, yes or no, words out of a list, plugins, and texts of one form.

Source: ``src/common/read_config.c`` of 22.05 (the tables of options and ``_validate_and_set_defaults``), slurm.conf(5)
of 18.08 to 26.05 for the words of other versions, and the folder ``src/plugins``. A value that Slurm would log as an
error and pass over is refused as one that keeps it from starting: it is a mistake in either case.
"""
from __future__ import annotations

import re
from collections.abc import Mapping
from typing import TYPE_CHECKING

from clustersim.messages import N_, _
from clustersim.slurm.schema import suggest, whole, whole_k, words

if TYPE_CHECKING:
    from clustersim.slurm.conffile import Entry

# How many bits the number behind a key has; one bit is yes or no.
BITS = {
    **dict.fromkeys(words("""
        AccountingStoreJobComment AllowSpecResourcesUsage Default DisableRootJobs ExclusiveTopo ExclusiveUser Hidden LLN
        PowerDownOnIdle PriorityFavorSmall ReqResv RootOnly TrackWCKey UsePAM"""), 1),
    **dict.fromkeys(words("""
        AccountingStoragePort AcctGatherNodeFreq BatchStartTimeout CompleteWait EioTimeout EpilogTimeout ExtSensorsFreq
        FairShareDampeningFactor FastSchedule GetEnvTimeout GroupUpdateForce GroupUpdateTime HealthCheckInterval
        HealthCheckTimeout InactiveLimit JobFileAppend JobRequeue KillOnBadExit KillWait MaxTasksPerNode MessageTimeout
        OverTimeLimit PrologEpilogTimeout PrologTimeout PropagatePrioProcess ResumeRate ResumeTimeout ResvOverRun
        ReturnToService SchedulerTimeSlice SlurmSchedLogLevel SlurmctldTimeout SlurmdTimeout SuspendRate SuspendTimeout
        TCPTimeout TreeWidth UnkillableStepTimeout VSizeFactor WaitTime RestrictedCoresPerGPU"""), 16),
    **dict.fromkeys(words("""
        EpilogMsgTime FirstJobId GraceTime JobCompPort KeepAliveTime MaxArraySize MaxBatchRequeue MaxCPUsPerNode
        MaxCPUsPerSocket MaxDBDMsgs MaxJobCount MaxJobId MaxNodeCount MaxNodes MaxStepCount MinJobAge MinNodes
        PriorityWeightAge PriorityWeightAssoc PriorityWeightFairshare PriorityWeightJobSize PriorityWeightPartition
        PriorityWeightQOS SlurmdPort"""), 32),
    **dict.fromkeys(words("DefCpuPerGPU DefMemPerCPU DefMemPerGPU DefMemPerNode MaxMemPerCPU MaxMemPerNode"), 64),
}
LEAST = {"FirstJobId": 1, "MaxJobCount": 1, "MaxJobId": 1, "MaxStepCount": 1, "MaxDBDMsgs": 10_000, "TreeWidth": 1}
MOST = {"PropagatePrioProcess": 2}  # PROP_PRIO_NICER; no UNLIMITED either

_LIMITS = "ALL NONE AS CORE CPU DATA FSIZE MEMLOCK NOFILE NPROC RSS STACK"
_GOVERNORS = "Conservative OnDemand Performance PowerSave SchedUtil UserSpace"
# Lists of words between commas; the case counts only for the limits of processes.
WORDS = {
    "AccountingStoreFlags": words("job_comment job_env job_extra job_script no_stdio"),
    "CpuBind": words("no none board boards socket sockets ldom ldoms core cores thread threads off v verbose"),
    "CpuFreqDef": words(_GOVERNORS), "CpuFreqGovernors": words(_GOVERNORS),
    "DebugFlags": words("""
        Accrue Agent AuditRPCs AuditTLS Backfill BackfillMap BurstBuffer cgroup ConMgr CPU_Bind CpuFrequency Data
        DB_Archive DB_Assoc DB_Event DB_Job DB_QOS DB_Query DB_Reservation DB_Resource DB_Step DB_TRES DB_Usage DB_WCKey
        DBD_Agent Dependency Elasticsearch Energy ESearch ExtSensors Federation FrontEnd Gang GLOB_SILENCE Gres HetJob
        Interconnect InfiniBand JAG JobAccountGather JobComp JobContainer License Metrics MPI Namespace Net NetRaw Network
        NetworkRaw NO_CONF_HASH NodeFeatures NoRealTime Pack Power PowerSave Priority Profile Protocol Reservation Route
        Sack Script SelectType Steps Switch Thread Threads TimeCray TLS TraceJobs Trigger Triggers WorkQ WorkQueue"""),
    "HealthCheckNodeState": words("ANY ALLOC CYCLE IDLE MIXED NONDRAINED_IDLE REBOOT_ONLY START_ONLY"),
    "JobAcctGatherParams": words("NoShared UsePss OverMemoryKill NoOverMemoryKill DisableGPUAcct no_file_cache"),
    "LogTimeFormat": words("clock format_stderr iso8601 iso8601_ms rfc3339 rfc5424 rfc5424_ms short thread_id"),
    "PrivateData": words("""
        account accounts all cloud event events job jobs node nodes none partition partitions reservation reservations
        usage user users"""),
    "PrologFlags": words("Alloc Contain DeferBatch ForceRequeueOnFail NoHold RunInJob Serial X11"),
    "PropagateResourceLimits": words(_LIMITS), "PropagateResourceLimitsExcept": words(_LIMITS),
    "ReconfigFlags": words("KeepPartInfo KeepPartState KeepPowerSaveSettings"),
    "SuspendExcStates": words("""
        CLOUD DOWN DRAIN DYNAMIC_FUTURE DYNAMIC_NORM FAIL INVALID_REG MAINTENANCE NOT_RESPONDING PERFCTRS PLANNED
        RESERVED"""),
    "TaskPluginParam": words("""
        none boards sockets ldoms cores threads verbose SlurmdOffSpec SlurmdSpecOverride OOMKillStep sched
        """) | {f"autobind={word}" for word in words("none cores sockets threads")},
}
_CASED = words("PropagateResourceLimits PropagateResourceLimitsExcept")
ONE = {  # one word of these
    "PriorityUsageResetPeriod": words("NONE NOW DAILY WEEKLY MONTHLY QUARTERLY YEARLY"),
    **dict.fromkeys(words("SlurmctldDebug SlurmctldSyslogDebug SlurmdDebug SlurmdSyslogDebug"), words("""
        quiet fatal error info verbose debug debug2 debug3 debug4 debug5 0 1 2 3 4 5 6 7 8 9""")),
    "Exclusive": words("NO NONE NODE USER TOPO"),
    "SelectTypeParameters": words("CR_Core CR_Core_Memory CR_Socket CR_Socket_Memory"),
}

# Plugins by what stands before the slash; those that sites write themselves may have any name.
PLUGINS = {
    "AccountingStorageType": ("accounting_storage", "none slurmdbd filetxt mysql pgsql ctld_relay"),
    "AuthType": ("auth", "munge none slurm"), "BurstBufferType": ("burst_buffer", "none cray datawarp generic lua"),
    "CoreSpecPlugin": ("core_spec", "none cray cray_aries"), "CredType": ("cred", "munge none slurm"),
    "CryptoType": ("crypto", "munge openssl none"), "ExtSensorsType": ("ext_sensors", "none rrd"),
    "JobAcctGatherType": ("jobacct_gather", "none aix cgroup linux"),
    "LaunchType": ("launch", "aprun poe runjob slurm"), "MCSPlugin": ("mcs", "none account group label user"),
    "PowerPlugin": ("power", "none cray cray_aries"), "ProctrackType": (
        "proctrack", "aix cgroup cray cray_aries linuxproc lua pgid sgi_job"),
    "RoutePlugin": ("route", "default topology"), "TaskPlugin": ("task", "affinity cgroup cray cray_aries none"),
    "SwitchType": ("switch", "none cray cray_aries generic hpe_slingshot nrt nvidia_imex"),
}
OPEN_PLUGINS = {
    "AcctGatherEnergyType": "acct_gather_energy", "AcctGatherFilesystemType": "acct_gather_filesystem",
    "AcctGatherInfinibandType": "acct_gather_infiniband", "AcctGatherInterconnectType": "acct_gather_interconnect",
    "AcctGatherProfileType": "acct_gather_profile", "AuthAltTypes": "auth", "CertgenType": "certgen",
    "CertmgrType": "certmgr", "CliFilterPlugins": "cli_filter", "HashPlugin": "hash", "HttpParserType": "http_parser",
    "JobCompType": "jobcomp", "JobContainerType": "job_container", "JobSubmitPlugins": "job_submit", "MetricsType": "metrics",
    "NamespaceType": "namespace", "NodeFeaturesPlugins": "node_features", "PrepPlugins": "prep",
    "PrioritySiteFactorPlugin": "site_factor", "TLSType": "tls", "UrlParserType": "url_parser"}
# Keys that list several, each with the part before the slash or without.
_SEVERAL = words("AuthAltTypes CliFilterPlugins JobSubmitPlugins NodeFeaturesPlugins PrepPlugins TaskPlugin "
                 "AcctGatherEnergyType HashPlugin JobCompType")

_TRES = r"(cpu|mem|node|energy|billing|vmem|pages|(gres|license|bb|fs|ic|interconnect|filesystem)/[^\s,=]+)"
_PORTS, _IDS = (r"\d{1,5}(-\d{1,5})?", N_("a port or ports, such as 6817 or 6817-6820")), r"\d{1,9}(-\d{1,9})?"
_SECONDS = (r"(?i)\d{1,9}|-1|UNLIMITED|INFINITE|NONE", N_("a number of seconds, or INFINITE"))
_FREQUENCY = r"(task|energy|filesystem|lustre|network)=\d{1,9}"
PATTERNS = {
    "AccountingStorageTRES": (rf"(?i){_TRES}(,{_TRES})*|", N_("names of resources, such as gres/gpu, between commas")),
    "BcastExclude": (r"(?i)none|/[^,]*(,/[^,]*)*|", N_("full paths between commas, or none")),
    "ClusterName": (r"\S+", N_("a name")),
    "CPUSpecList": (rf"{_IDS}(,{_IDS})*", N_("numbers of CPUs, such as 0-1,8")),
    "GresTypes": (r"(?a)[A-Za-z_][\w-]*(,[A-Za-z_][\w-]*)*,?|", N_("names of resources between commas, such as gpu,mps")),
    "JobAcctGatherFrequency": (rf"(?i)\d{{1,9}}|{_FREQUENCY}(,{_FREQUENCY})*", N_("seconds, or task=SECONDS and the like")),
    "Licenses": (r"[^:,;|()\s]+(:\d{1,9})?([,;][^:,;|()\s]+(:\d{1,9})?)*|", N_("NAME[:COUNT] between commas")),
    "MpiDefault": (r"(mpi/)?(none|openmpi|pmi2|pmix(_v\d)?|cray_shasta|lam|mpich1_p4|mpich1_shmem|mpichgm|mpichmx|mvapich)",
                   "none, pmi2, pmix, cray_shasta"),
    "RequeueExit": (rf"{_IDS}(,{_IDS})*", N_("exit codes, such as 1-9,18")),
    "RequeueExitHold": (rf"{_IDS}(,{_IDS})*", N_("exit codes, such as 1-9,18")),
    "SlurmctldHost": (r"[^()\s,]+(\([^()\s]+\))?", N_("NAME, or NAME(ADDRESS)")),
    "SlurmctldPort": _PORTS, "SrunPortRange": (r"\d{1,5}-\d{1,5}", N_("ports, such as 60001-63000")),
    "SuspendTime": _SECONDS,
    "TopologyParam": (r"(?i)(Dragonfly|TopoOptional|NoCtldInAddrAny|NoInAddrAny|RoutePart|RouteTree|SwitchAsNodeRank"
                      r"|BlockAsNodeRank|TopoMaxSizeUnroll=-?\d{1,9}|,)*", N_("words such as TopoOptional between commas")),
    "TRESBillingWeights": (rf"(?i){_TRES}=\d*\.?\d+[KMGTP]?(,{_TRES}=\d*\.?\d+[KMGTP]?)*|",
                           N_("NAME=WEIGHT between commas, such as CPU=1.0,Mem=0.25G")),
    "TRESWeights": (rf"(?i){_TRES}=\d*\.?\d+[KMGTP]?(,{_TRES}=\d*\.?\d+[KMGTP]?)*|",
                    N_("NAME=WEIGHT between commas, such as CPU=1.0,Mem=0.25G")),
}


def check(key: str, entry: Entry, alone: bool = False) -> None:
    """Refuse what Slurm would behind ``key``, the proper spelling of the entry's key; ``alone``: not in a longer line."""
    if key in BITS:
        entry.check(BITS[key])
        number = whole_k(entry.value)
        low, high = LEAST.get(key, 0), MOST.get(key)
        if (number is not None and (number < low or (high is not None and number > high))) or (number is None and key in MOST):
            raise entry.wrong(_("a whole number from {low} to {high}").format(low=low, high=high or 2 ** BITS[key] - 1))
    elif key in WORDS:
        for word in entry.words():
            _one_of(entry, word, WORDS[key], key in _CASED)
    elif key in ONE and not (alone and key == "SelectTypeParameters"):  # that of all partitions is obeyed: settings.py
        _one_of(entry, entry.value, ONE[key])
    elif key in PLUGINS or key in OPEN_PLUGINS:
        _plugins(key, entry)
    elif key in PATTERNS:
        _form(entry, *PATTERNS[key])


def check_together(values: Mapping[str, Entry], half_life: int) -> None:
    """Refuse keys that Slurm would not take beside each other; ``half_life`` is that of usage, in seconds."""
    half, reset = values.get("PriorityDecayHalfLife"), values.get("PriorityUsageResetPeriod")
    if half and not half_life and (reset is None or reset.value.upper() == "NONE"):
        raise half.wrong(_("more than 0, or a PriorityUsageResetPeriod beside it: usage must not grow for ever"))
    first, last = values.get("FirstJobId"), values.get("MaxJobId")
    if first and last and (whole(first.value) or 0) > (whole(last.value) or 2**32):
        raise first.wrong(_("at most MaxJobId, {last}").format(last=last.value))
    if "MCSParameters" in values and "MCSPlugin" not in values:
        raise values["MCSParameters"].wrong(_("MCSPlugin beside it"))
    level = values.get("SlurmSchedLogLevel")
    if level and level.value != "0" and "SlurmSchedLogFile" not in values:
        raise level.wrong(_("SlurmSchedLogFile beside it"))


def _one_of(entry: Entry, word: str, options: frozenset[str], cased: bool = False) -> None:
    if word not in options and (cased or word.lower() not in {option.lower() for option in options}):
        shown = ", ".join(sorted(options, key=str.lower))
        raise entry.wrong(_("one of {options}").format(options=shown), suggest(word, options))


def _plugins(key: str, entry: Entry) -> None:
    """``kind/name``, of some keys several and the name alone. Case counts, as in the name of the file it stands for."""
    kind, names = PLUGINS.get(key, (OPEN_PLUGINS.get(key, ""), ""))
    known = [f"{kind}/{name}" for name in names.split()]
    if entry.value.lower() == "none":  # newer versions take the word alone
        return
    for word in entry.words() if key in _SEVERAL else [entry.value]:
        full = f"{kind}/{word}" if key in _SEVERAL and "/" not in word else word
        if known and full not in known:
            raise entry.wrong(_("one of {options}").format(options=", ".join(known)), suggest(full, known))
        if not known and word and not re.fullmatch(rf"{kind}/[\w.+-]+", full, re.ASCII):
            raise entry.wrong(_("a plugin, as in {example}").format(example=f"{kind}/NAME"))


def _form(entry: Entry, pattern: str, expected: str) -> None:
    if not re.fullmatch(pattern, entry.value, re.ASCII):
        raise entry.wrong(_(expected))
    if entry.key.lower().endswith(("port", "portrange")):
        ports = [int(port) for port in entry.value.split("-")]
        if not 1 <= ports[0] <= ports[-1] <= 65_535:
            raise entry.wrong(_("ports from 1 to 65535, the lower one first"))


