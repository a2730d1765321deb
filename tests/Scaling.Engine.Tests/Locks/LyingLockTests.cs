// Locks of strangers: refused at their place, and never a way out of the results folder.
using Scaling.Engine.Files;
using Scaling.Engine.Locks;
using Scaling.Sdk;
using Scaling.TestKit;

namespace Scaling.Engine.Tests.Locks;

public sealed class LyingLockTests : IDisposable
{
    private const string Sound = """
        {
          "format": 1,
          "tool": "0.1.0",
          "plugins": [],
          "stages": { "a": { "type": "echo", "portable": { "setting text": "1" }, "local": {}, "results": { "echo.csv": "00" } } }
        }
        """;

    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Theory]
    [InlineData("\"tool\": \"0.1.0\"", "\"tool\": ", 3, 0)]
    [InlineData("\"tool\"", "\"format\"", 1, 0)]
    [InlineData("\"setting text\"", "\"setting\"", 1, 1)]
    [InlineData("\"echo.csv\"", "\"../../echo.csv\"", 1, 1)]
    [InlineData("\"echo.csv\"", "\"/etc/hostname\"", 1, 1)]
    [InlineData("\"local\": {}", "\"local\": null", 1, 1)]
    [InlineData("\"portable\"", "\"type\"", 1, 0)]
    public void A_lock_that_cannot_be_is_refused_at_its_place(string part, string instead, int line, int column)
    {
        Assert.NotNull(PipelineLock.Read(_folder.Write("sound.lock.json", Sound)));
        string path = _folder.Write("study.lock.json", Sound.Replace(part, instead, StringComparison.Ordinal));

        var finding = Assert.Single(Assert.Throws<StageFailedException>(() => PipelineLock.Read(path)).Diagnostics);

        Assert.Equal("SCAL9056", finding.Code);
        Assert.Equal((path, line), (finding.Location!.File, finding.Location.Line));
        Assert.True(column == 0 ? finding.Location.Column > 0 : finding.Location.Column == column, finding.ToString());
        Assert.DoesNotContain("Object reference", finding.Message);
    }

    [Fact]
    public void What_a_killed_process_left_beside_a_lock_is_removed_with_the_next_writing()
    {
        string path = _folder.Write("study.lock.json", Sound);
        string dead = _folder.Write($".study.lock.json.{int.MaxValue}{Aside.Writer[Aside.Writer.IndexOf('-', StringComparison.Ordinal)..]}.{Guid.NewGuid():N}", "half");
        string alive = _folder.Write($".study.lock.json.{Aside.Writer}.{Guid.NewGuid():N}", "half");
        string other = _folder.Write(".study.lock.json.bak", "of the user");

        PipelineLock.Read(path)!.Write(path);

        Assert.Equal((false, true, true), (File.Exists(dead), File.Exists(alive), File.Exists(other)));
    }
}
