// What a state means, word for word.
using CsCheck;
using Scaling.Engine.Executors.Slurm;

namespace Scaling.Slurm.Tests;

public sealed class JobStateTests
{
    [Theory]
    [InlineData("PENDING PD CONFIGURING CF REQUEUED RQ REQUEUE_FED RF REQUEUE_HOLD RH SPECIAL_EXIT SE RESV_DEL_HOLD RD POWER_UP_NODE EXPEDITING", JobPhase.Waiting)]
    [InlineData("RUNNING R COMPLETING CG RESIZING RS SIGNALING SI STAGE_OUT SO STOPPED ST SUSPENDED S", JobPhase.Running)]
    [InlineData("COMPLETED CD", JobPhase.Completed)]
    [InlineData("FAILED F", JobPhase.Failed)]
    [InlineData("TIMEOUT TO DEADLINE DL", JobPhase.TimedOut)]
    [InlineData("PREEMPTED PR", JobPhase.Preempted)]
    [InlineData("NODE_FAIL NF BOOT_FAIL BF LAUNCH_FAILED RECONFIG_FAIL", JobPhase.NodeFailed)]
    [InlineData("OUT_OF_MEMORY OOM", JobPhase.OutOfMemory)]
    [InlineData("CANCELLED CA", JobPhase.Cancelled)]
    [InlineData("REVOKED RV UPDATE_DB ? UNINITIALISED completed Completed COMPLETE C SUCCESS", JobPhase.Unknown)]
    public void Every_word_and_code_means_what_it_means(string words, JobPhase phase) => Assert.All(words.Split(' '), word => Assert.Equal((phase, word), (JobState.Parse(word).Phase, JobState.Parse(word).Text)));

    [Theory]
    [InlineData("CANCELLED by 1000", JobPhase.Cancelled)]
    [InlineData("CANCELLED+", JobPhase.Cancelled)]
    [InlineData("OUT_OF_ME+", JobPhase.OutOfMemory)]
    [InlineData("COMPLETIN+", JobPhase.Running)]
    [InlineData("REQUEUE_H+", JobPhase.Waiting)]
    [InlineData("COMPLETE+", JobPhase.Unknown)]
    [InlineData("COMPLETED by 1000", JobPhase.Unknown)]
    [InlineData(" RUNNING ", JobPhase.Running)]
    [InlineData("RUNNING,COMPLETING", JobPhase.Running)]
    [InlineData("COMPLETED+COMPLETING", JobPhase.Running)]
    [InlineData("RUNNING,CONFIGURING", JobPhase.Waiting)]
    [InlineData("PENDING,REQUEUED", JobPhase.Waiting)]
    [InlineData("COMPLETED,REQUEUED", JobPhase.Waiting)]
    [InlineData("NODE_FAIL,REQUEUE_HOLD", JobPhase.Waiting)]
    [InlineData("FAILED,LAUNCH_FAILED", JobPhase.NodeFailed)]
    [InlineData("COMPLETED,UPDATE_DB", JobPhase.Completed)]
    [InlineData("COMPLETED,REVOKED", JobPhase.Unknown)]
    [InlineData("COMPLETED,FAILED", JobPhase.Failed)]
    [InlineData("COMPLETED,TELEPORTED", JobPhase.Unknown)]
    [InlineData("RUNNING,TELEPORTED", JobPhase.Unknown)]
    [InlineData("", JobPhase.Unknown)]
    [InlineData(",", JobPhase.Unknown)]
    public void Lists_suffixes_and_cut_words_are_read_as_Slurm_writes_them(string text, JobPhase phase) => Assert.Equal(phase, JobState.Parse(text).Phase);

    [Fact]
    public void Nothing_but_completed_ever_means_completed() =>
        Gen.OneOf(Gen.String, Gen.String[Gen.Char["CDOMPLETED+,* "], 0, 12]).Sample(
            text => JobState.Parse(text).Phase != JobPhase.Completed || text.Split(',', '+', '*').Select(t => t.Trim()).Where(t => t.Length > 0).All(t => t is "COMPLETED" or "CD" or "UPDATE_DB"), iter: 20_000);
}
