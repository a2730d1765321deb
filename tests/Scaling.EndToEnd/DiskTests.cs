// Disks that cannot be written: what is wrong is said in plain words, nothing is lost, and the next run completes.
using Scaling.TestKit;

namespace Scaling.EndToEnd;

public sealed class DiskTests : IDisposable
{
    private const string Study = """
          rows: { uses: echo, with: { text: "slow", count: 6 } }
          work: { uses: misbehave-row, needs: rows, with: { milliseconds: 300 } }

        """;

    private readonly Tool _tool = new();

    public void Dispose() => _tool.Dispose();

    [RootFact]
    public void A_store_that_is_read_only_from_the_start_is_an_infrastructure_failure()
    {
        using var disk = Disk("size=50m");
        _tool.Write("study.yaml", Study);
        Assert.Equal(0, _tool.Run("plan", "study.yaml").ExitCode);
        disk.Do($"mount -o remount,ro '{_tool.Folder["store"]}'");

        var refused = _tool.Run("run", "study.yaml", "--json");
        var looked = _tool.Run("plan", "study.yaml");

        Assert.Equal((5, 0), (refused.ExitCode, looked.ExitCode));
        Assert.Contains("SCAL4010", refused.Error);
        Assert.Contains("read-only", refused.Error);
        Assert.Equal(0, _tool.Journal("misbehave-row"));
        Completes(disk);
    }

    [RootFact]
    public void A_store_that_turns_read_only_in_the_middle_loses_nothing_that_was_published()
    {
        using var disk = Disk("size=50m");
        _tool.Write("study.yaml", Study);
        var process = _tool.Start("run", "study.yaml", "--json", "--jobs", "1");
        Tool.Until(() => _tool.Journal("misbehave-row") >= 3, "two rows to be published");
        disk.Do($"mount -o remount,ro '{_tool.Folder["store"]}' || (sleep 0.2; mount -o remount,ro '{_tool.Folder["store"]}') || mount -o remount,ro,force '{_tool.Folder["store"]}' || true");
        var ended = Tool.End(process);

        if (ended.ExitCode != 0) // A file that is open for writing at that moment keeps a file system writable.
        {
            Assert.Equal(5, ended.ExitCode);
            Assert.Contains("SCAL4010", ended.Error);
        }

        int before = _tool.Journal("misbehave-row");
        var done = Completes(disk);
        Assert.InRange(done.Count("work", "cached"), 2, 6);
        Assert.InRange(_tool.Journal("misbehave-row") - before, 0, 4);
    }

    [RootFact]
    public void A_full_disk_is_told_and_with_room_the_run_completes()
    {
        using var disk = Disk("size=256k");
        _tool.Write("study.yaml", $$"""
              rows: { uses: echo, with: { text: "{{new string('x', 60_000)}},{{new string('y', 60_001)}},{{new string('z', 60_002)}}", count: 12 } }
              squares: { uses: square, needs: rows }

            """);

        var full = _tool.Run("run", "study.yaml", "--json");

        Assert.True(full.ExitCode == 5, full.Error);
        Assert.Contains("SCAL4011", full.Error);
        Assert.Contains("disk is full", full.Error);
        disk.Do($"mount -o remount,size=50m '{_tool.Folder["store"]}'");
        Completes(disk);
    }

    [RootFact]
    public void A_disk_of_results_that_is_full_is_told_with_the_file_and_nothing_half_is_left()
    {
        Directory.CreateDirectory(_tool.Folder["out"]);
        using var disk = new Surroundings($"mount -t tmpfs -o size=64k none '{_tool.Folder["out"]}'");
        _tool.Within = disk.Command;
        _tool.Write("study.yaml", $$"""
              rows: { uses: echo, with: { text: "{{new string('x', 60_000)}},{{new string('y', 60_001)}}", count: 2 } }

            """);

        var full = _tool.Run("run", "study.yaml", "--out", "out");

        Assert.True(full.ExitCode == 5, full.Error);
        Assert.Contains("SCAL4011", full.Error);
        Assert.Contains("out/study/rows/", full.Error);
        disk.Do($"test -z \"$(find '{_tool.Folder["out"]}' -name '.*.tmp')\"");
        disk.Do($"mount -o remount,size=50m '{_tool.Folder["out"]}'");
        Assert.Equal((0, 0), (_tool.Run("run", "study.yaml", "--out", "out").ExitCode, _tool.Run("run", "study.yaml", "--out", "out", "--json").Executed));
    }

    [Theory]
    [InlineData("2>/dev/full", "text")]
    [InlineData("2>/dev/full", "jsonl")]
    [InlineData("2>&-", "text")]
    [InlineData("2>&-", "jsonl")]
    public void What_is_told_on_the_way_is_lost_where_it_cannot_be_written_and_the_run_is_not(string to, string format)
    {
        _tool.Write("study.yaml", Study);
        _tool.Within = ["sh", "-c", $"exec \"$@\" {to}", "sh"];

        var run = _tool.Run("run", "study.yaml", "--json", "--log-format", format);

        Assert.Equal(0, run.ExitCode);
        Assert.Equal(7, run.Executed);
    }

    /// <summary>A disk of its own for the store, which only what is started within sees.</summary>
    private Surroundings Disk(string options)
    {
        Directory.CreateDirectory(_tool.Folder["store"]);
        var disk = new Surroundings($"mount -t tmpfs -o {options} none '{_tool.Folder["store"]}'");
        _tool.Within = disk.Command;
        return disk;
    }

    private Ended Completes(Surroundings disk)
    {
        disk.Do($"mount -o remount,rw '{_tool.Folder["store"]}'");
        var run = _tool.Run("run", "study.yaml", "--json");
        Assert.True(run.ExitCode == 0, run.Error);
        Assert.Equal(0, _tool.Run("run", "study.yaml", "--json").Executed);
        return run;
    }
}
