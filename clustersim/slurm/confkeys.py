"""The keys of Slurm's configuration files, sorted by what they do here.

Source: slurm.conf(5), gres.conf(5) and topology.conf(5) of 22.05 to 26.05. A key that can change which job starts when
or where and is not modelled leaves a notice; one that cannot (ports, logs, accounts of daemons) is passed over.
"""
from __future__ import annotations

from clustersim.slurm.schema import words

# Keys of slurm.conf that change no schedule.
PASSED_OVER = words("""
    AccountingStorageBackupHost AccountingStorageExternalHost AccountingStorageHost AccountingStorageParameters
    AccountingStoragePass AccountingStoragePort AccountingStorageTRES AccountingStorageType AccountingStorageUser
    AccountingStoreFlags AccountingStoreJobComment AcctGatherEnergyType AcctGatherFilesystemType
    AcctGatherInfinibandType AcctGatherInterconnectType AcctGatherNodeFreq AcctGatherProfileType AuthAltParameters
    AuthAltTypes AuthInfo AuthType BackupAddr BackupController BcastExclude BcastParameters CertgenParameters CertgenType
    CertmgrParameters CertmgrType CheckpointType CliFilterParameters ClusterName CommunicationParameters ControlAddr
    ControlMachine CpuFreqDef CpuFreqGovernors CredType CryptoType DataParserParameters DebugFlags DisableRootJobs
    EpilogMsgTime ExtSensorsFreq ExtSensorsType FastSchedule FederationParameters GpuFreqDef HashPlugin
    HealthCheckNodeState HealthCheckProgram HttpParserType InteractiveStepOptions JobAcctGatherFrequency
    JobAcctGatherParams JobAcctGatherType JobCompHost JobCompLoc JobCompParams JobCompPass JobCompPassScript JobCompPort
    JobCompType JobCompUser JobContainerType JobCredentialPrivateKey JobCredentialPublicCertificate LaunchParameters
    LaunchType LogTimeFormat MailDomain MailProg MetricsType MpiDefault MpiParams NamespaceType PluginDir PlugStackConfig
    PriorityParameters PrivateData ProctrackType PropagatePrioProcess PropagateResourceLimits
    PropagateResourceLimitsExcept RebootProgram ReconfigFlags RoutePlugin SallocDefaultCommand SbcastParameters
    SchedulerPort SchedulerRootFilter ScronParameters SlurmctldAddr SlurmctldDebug SlurmctldHost SlurmctldLogFile
    SlurmctldParameters SlurmctldPidFile SlurmctldPlugstack SlurmctldPort SlurmctldPrimaryOffProg SlurmctldPrimaryOnProg
    SlurmctldSyslogDebug SlurmdDebug SlurmdLogFile SlurmdParameters SlurmdPidFile SlurmdPort SlurmdSpoolDir
    SlurmdSyslogDebug SlurmdUser SlurmSchedLogFile SlurmSchedLogLevel SlurmUser SrunEpilog SrunPortRange SrunProlog
    StateSaveLocation SwitchParameters SwitchType TaskEpilog TaskPlugin TaskPluginParam TaskProlog TLSParameters TLSType
    TmpFS TrackWCKey TreeWidth UnkillableStepProgram UrlParserType UsePAM WCKey X11Parameters

    BatchStartTimeout EioTimeout FirstJobId GetEnvTimeout GroupUpdateForce GroupUpdateTime HealthCheckInterval
    HealthCheckTimeout InactiveLimit JobFileAppend KeepAliveTime KillOnBadExit MaxDBDMsgs MaxJobCount MaxJobId MaxNodeCount
    MaxStepCount MaxTasksPerNode MessageTimeout MinJobAge SlurmctldTimeout TCPTimeout VSizeFactor WaitTime

    AccountingStorageLoc CacheGroups DefRuntimePlugin DefaultStorageHost DefaultStorageLoc DefaultStoragePass
    DefaultStoragePort DefaultStorageType DefaultStorageUser JobCheckpointDir Layouts MemLimitEnforce MetricsAuthUsers
    MetricsParameters MsgAggregationParams SchedulerAuth SerializerParameters SerializerPlugins
    SlurmctldHttpAuthParameters SlurmdHttpAuthParameters SlurmrestdHttpAuthParameters SlurmrestdParameters
    SlurmstepdParameters""")

# Keys of slurm.conf that can change a schedule and are not modelled (beside those that settings.py names).
NOT_MODELLED = words("""
    AllowSpecResourcesUsage BurstBufferParameters BurstBufferType CliFilterPlugins CoreSpecPlugin DefMemPerGPU
    DependencyParameters EpilogSlurmctld EpilogTimeout FairShareDampeningFactor JobSubmitPlugins LicenseParameters
    MaxBatchRequeue MCSParameters MCSPlugin NodeFeaturesPlugins PowerAction PowerParameters PowerPlugin PreemptParameters
    PrepParameters PrepPlugins
    PrioritySiteFactorParameters PrologEpilogTimeout PrologFlags PrologSlurmctld PrologTimeout RequeueExit
    RequeueExitHold ResumeFailProgram ResumeProgram ResumeRate ResvEpilog ResvProlog SuspendExcNodes SuspendExcParts
    SuspendExcStates SuspendProgram SuspendRate SuspendTimeout""")

NODE_NUMBERS = words("""
    Boards CPUs CoresPerSocket Sockets SocketsPerBoard ThreadsPerCore RealMemory TmpDisk Weight CoreSpecCount
    MemSpecLimit""")
NODE_KEYS = NODE_NUMBERS | words("""
    NodeName NodeHostname NodeAddr BcastAddr Features Gres Port Reason State CPUSpecList CpuBind RestrictedCoresPerGPU
    Topology TRESWeights Parameters GresConf SuspendTime""")
NODE_NOT_MODELLED = words("CoreSpecCount CPUSpecList GresConf MemSpecLimit RestrictedCoresPerGPU SuspendTime Topology")

PARTITION_PASSED_OVER = words("Alternate AllocNodes CpuBind DisableRootJobs Hidden")
# The values with which these keys change nothing.
PARTITION_HARMLESS = {
    "AllowAccounts": "ALL", "AllowGroups": "ALL", "AllowQos": "ALL", "ExclusiveUser": "NO", "ExclusiveTopo": "NO",
    "ReqResv": "NO", "RootOnly": "NO", "PowerDownOnIdle": "NO", "MaxCPUsPerNode": "UNLIMITED",
    "MaxCPUsPerSocket": "UNLIMITED", "MaxMemPerNode": "UNLIMITED", "MaxMemPerCPU": "UNLIMITED",
}
PARTITION_NOT_MODELLED = frozenset(PARTITION_HARMLESS) | words("""
    DefCpuPerGPU DefMemPerCPU DefMemPerGPU DefMemPerNode DenyAccounts DenyQos OverTimeLimit QOS ResumeTimeout
    SelectTypeParameters SuspendTime SuspendTimeout Topology TRESBillingWeights""")

GRES_KEYS = words("AutoDetect Cores Count File Flags Links MultipleFiles Name NodeName Type")  # Files, Link, CPUs: older words
TOPOLOGY_KEYS = words("LinkSpeed Nodes SwitchName Switches")
