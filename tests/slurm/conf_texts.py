"""Small files of each kind that Slurm reads, in which most keys occur; the tests read them whole and broken."""

from __future__ import annotations

from clustersim.slurm.conf import SlurmConf, parse_slurm_conf
from clustersim.slurm.sbatch import Script, parse_script

SLURM_CONF = """\
# A small cluster
ClusterName=Lab
SlurmctldHost=ctl(10.0.0.1)
SchedulerType=sched/backfill
SchedulerParameters=bf_interval=30,bf_window=60,bf_resolution=60,bf_max_job_test=50,sched_interval=60,default_queue_depth=10,defer
SelectType=select/cons_tres
SelectTypeParameters=CR_Core
TopologyPlugin=topology/tree
GresTypes=gpu,nic
PriorityType=priority/multifactor
PriorityWeightAge=1000
PriorityWeightFairshare=2000
PriorityWeightJobSize=10
PriorityWeightPartition=20
PriorityWeightQOS=30
PriorityMaxAge=7-0
PriorityCalcPeriod=5
PriorityDecayHalfLife=14-0
PriorityFavorSmall=NO
PriorityFlags=SMALL_RELATIVE_TO_TIME
AccountingStorageEnforce=associations,limits
EnforcePartLimits=ALL
KillWait=30
CompleteWait=32
OverTimeLimit=1
SlurmdTimeout=300
SlurmctldTimeout=120
MinJobAge=300
ReturnToService=1
JobRequeue=1
PreemptType=preempt/partition_prio
PreemptMode=SUSPEND,GANG
PreemptExemptTime=10
SchedulerTimeSlice=30
MaxArraySize=1001
NodeName=DEFAULT Sockets=2 CoresPerSocket=4 ThreadsPerCore=1 RealMemory=1000 TmpDisk=100
NodeName=n[1-4] CPUs=8 Gres=gpu:a100:4,nic:1 Weight=2 Features=fast,new State=UNKNOWN
NodeName=c[01-04] \\
  Weight=1 State=UNKNOWN
NodeName=old1 State=DRAIN Reason="fan is loud"
NodeSet=fastones Feature=fast
DownNodes=c04 State=DOWN Reason=disk
PartitionName=DEFAULT MaxTime=60 DefaultTime=10 State=UP
PartitionName=gpu Nodes=fastones Default=YES MinNodes=1 MaxNodes=4 PriorityTier=2 PriorityJobFactor=5 OverSubscribe=FORCE:1
PartitionName=all Nodes=ALL LLN=YES PreemptMode=REQUEUE MaxTime=UNLIMITED
"""
GRES_CONF = """\
# What the nodes find
AutoDetect=off
NodeName=n[1-2] Name=gpu Type=a100 File=/dev/nvidia[0-3] Cores=0-7
NodeName=n[3-4] Name=gpu Type=a100 Count=4 Flags=amd_gpu_env
NodeName=n[1-4] Name=nic Count=1
"""
TOPOLOGY_CONF = """\
SwitchName=leaf1 Nodes=n[1-4] LinkSpeed=100
SwitchName=leaf2 Nodes=c[01-04],old1
SwitchName=top Switches=leaf[1-2]
"""
SCRIPT = """\
#!/bin/bash
#SBATCH --job-name=train
#SBATCH --partition=gpu,all
#SBATCH --nodes=2-3
#SBATCH --ntasks=8
#SBATCH --ntasks-per-node=4
#SBATCH -c 2
#SBATCH --gres=gpu:a100:4
#SBATCH --time=0:30:00
#SBATCH --constraint="fast&new"
#SBATCH --nodelist=n[1-2] --exclude=c01
#SBATCH --begin=now+10minutes
#SBATCH --nice=5 --requeue --hold
#SBATCH --switches=1@10
#SBATCH --array=0-7%2
#SBATCH --dependency=afterany:7
#SBATCH --output=%j.log   # where the words go
export NCCL_DEBUG=INFO
srun python train.py
"""


def conf(text: str = SLURM_CONF, gres: str | None = GRES_CONF, topology: str | None = TOPOLOGY_CONF) -> SlurmConf:
    return parse_slurm_conf(text, gres=gres, topology=topology)


def script(text: str = SCRIPT, cluster: SlurmConf | None = None) -> Script:
    whole = cluster or conf()
    return parse_script(text, whole.cluster, whole.settings, run=60)
