// check --watch, as somebody has it open beside an editor.
using System.Diagnostics;
using System.Text;

namespace Scaling.EndToEnd;

public sealed class WatchTests : IDisposable
{
    private readonly Tool _tool = new();
    private readonly StringBuilder _said = new();

    public void Dispose() => _tool.Dispose();

    [Fact]
    public void Every_change_of_the_file_and_of_what_it_names_is_checked_until_Ctrl_C()
    {
        _tool.Write("study.yaml", "  rows: { uses: echo }\n");
        using var watch = _tool.Start("check", "study.yaml", "--watch");
        Listen(watch);
        Waits("study.yaml: 1 stage, no findings.");

        _tool.Write("study.yaml", "  rows: { uses: eco }\n");
        Waits("SCAL3001");
        Waits("study.yaml: 1 finding.");

        // As most editors save: another file takes its place.
        _tool.Write("new.yaml", "  rows: { uses: square, needs: { rows: table.csv }, with: { factors: [1] } }\n");
        File.Move(_tool.Folder["new.yaml"], _tool.Folder["study.yaml"], overwrite: true);
        Waits("SCAL3004");
        Waits("study.yaml: 1 finding.");

        _tool.Folder.Write("table.csv", "point,text\n");
        Waits("study.yaml: 1 stage, no findings.");

        File.Delete(_tool.Folder["study.yaml"]);
        Waits("SCAL2001");
        _tool.Write("study.yaml", "  rows: { uses: echo }\n");
        Waits("study.yaml: 1 stage, no findings.");

        Tool.Signal(watch.Id, "INT");
        Assert.True(watch.WaitForExit(TimeSpan.FromMinutes(1)));
        Assert.Equal(130, watch.ExitCode);
    }

    [Fact]
    public void What_does_not_change_is_not_checked_again_and_costs_nothing()
    {
        _tool.Write("study.yaml", "  rows: { uses: echo }\n");
        using var watch = _tool.Start("check", "study.yaml", "--watch");
        Listen(watch);
        Waits("no findings.");
        var before = watch.TotalProcessorTime;

        Thread.Sleep(TimeSpan.FromSeconds(3));
        watch.Refresh();

        Assert.True(watch.TotalProcessorTime - before < TimeSpan.FromSeconds(1), $"{watch.TotalProcessorTime - before} of processor time in three seconds");
        Assert.DoesNotContain("no findings.", Said(), StringComparison.Ordinal);
        Tool.Signal(watch.Id, "TERM");
        Assert.True(watch.WaitForExit(TimeSpan.FromMinutes(1)));
    }

    [Fact]
    public void One_answer_for_programs_does_not_go_with_it()
    {
        var refused = _tool.Run("check", "--watch", "--json");

        Assert.Equal(2, refused.ExitCode);
        Assert.Contains("exclude each other", refused.Error, StringComparison.Ordinal);
    }

    private void Listen(Process watch)
    {
        watch.OutputDataReceived += Heard;
        watch.ErrorDataReceived += Heard;
        watch.BeginOutputReadLine();
        watch.BeginErrorReadLine();

        void Heard(object _, DataReceivedEventArgs line)
        {
            lock (_said)
            {
                _said.AppendLine(line.Data);
            }
        }
    }

    /// <summary>Waits until that is said, and forgets all up to it.</summary>
    private void Waits(string what)
    {
        Tool.Until(() => Said().Contains(what, StringComparison.Ordinal), what);
        lock (_said)
        {
            _said.Remove(0, _said.ToString().IndexOf(what, StringComparison.Ordinal) + what.Length);
        }
    }

    private string Said()
    {
        lock (_said)
        {
            return _said.ToString();
        }
    }
}
