// What takes long on a real Slurm: it looks at time limits twice a minute.
using Scaling.TestKit;

namespace Scaling.Slurm.Tests;

public sealed class SlurmTimeLimitTests
{
    [SlurmFact]
    public async Task Two_nodes_work_on_one_job_and_a_time_limit_is_told_before_it_comes()
    {
        using var folder = new TemporaryFolder();
        string outTo = $"OUT='{folder.Path}'; ";
        await using var cluster = (await SlurmCluster.TryStart())!;
        string wide = await cluster.Submit(outTo + "export OUT; srun --output=\"$OUT/%t\" sh -c 'echo $SLURMD_NODENAME of $SLURM_NNODES'", "--nodes=2", "--ntasks=2", "--ntasks-per-node=1");

        // A minute is the shortest limit there is: told 55 to 65 seconds before, the signal comes at once.
        string limited = await cluster.Submit(outTo + "trap 'echo told > \"$OUT/signal\"; exit 0' USR1; sleep 50 & wait", "--time=1", "--signal=B:USR1@60");
        await cluster.Reaches(wide, "COMPLETED");
        await cluster.Reaches(limited, "COMPLETED");

        Assert.Equal(["n1 of 2", "n2 of 2"], new[] { "0", "1" }.Select(f => File.ReadAllText(folder[f]).Trim()).Order());
        Assert.Equal("told", File.ReadAllText(folder["signal"]).Trim());
    }
}
