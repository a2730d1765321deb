// A sample of what the fault harness tries exhaustively, see tests/Scaling.Faults/README.md.
using System.Diagnostics;
using Scaling.TestKit;

namespace Scaling.EndToEnd;

/// <summary>Skips where processes cannot be traced.</summary>
public sealed class TracingFactAttribute : FactAttribute
{
    private static readonly Lazy<Ended> Probe = new(() => FaultTests.Harness("probe"));

    public TracingFactAttribute()
    {
        if (Probe.Value.ExitCode != 0)
        {
            Skip = Probe.Value.Error.Trim();
        }
    }
}

public class FaultTests
{
    [TracingFact]
    public void A_run_that_was_killed_or_whose_disk_failed_is_put_right_by_the_next()
    {
        var sample = Harness("every-step", "--every", "170");

        Assert.True(sample.ExitCode == 0, sample.Error);
    }

    [Fact]
    public void Mutated_files_break_nothing_and_every_finding_has_its_place()
    {
        var fuzz = Harness("fuzz", "--count", "3000", "--folder", Path.GetTempPath());

        Assert.True(fuzz.ExitCode == 0, fuzz.Output + fuzz.Error);
    }

    internal static Ended Harness(params string[] arguments)
    {
        string program = Path.Combine(Repository.Root, "tests", "Scaling.Faults", "bin", Tool.Configuration, "net10.0", "Scaling.Faults");
        return Tool.End(Process.Start(new ProcessStartInfo(program, arguments) { RedirectStandardOutput = true, RedirectStandardError = true })!);
    }
}
