// cache gc and stats as people and programs see them.
using System.Text.Json.Nodes;
using System.Text.RegularExpressions;
using Scaling.TestKit;

namespace Scaling.EndToEnd;

public sealed partial class CacheCommandTests : IDisposable
{
    private const string Stages = """
          rows: { uses: echo, with: { text: "a,bb,ccc", count: 3 } }
          squares: { uses: square, needs: rows, with: { suffix: "!" } }
          total: { uses: collect, needs: squares }

        """;

    private readonly Tool _tool = new();

    public void Dispose() => _tool.Dispose();

    [Fact]
    public async Task Gc_says_what_would_go_and_what_making_it_again_would_cost()
    {
        _tool.Write("study.yaml", Stages);
        Run();
        string record = Directory.EnumerateFiles(_tool.Folder["store/history"], "*", SearchOption.AllDirectories).Single();
        File.SetLastWriteTimeUtc(record, DateTime.UtcNow.AddDays(-40));
        _tool.Write("study.yaml", Stages.Replace("!", "?"));
        Run();

        string nothing = _tool.Run("cache", "gc", "--dry-run").Output;
        string would = _tool.Run("cache", "gc", "--older-than", "30d", "--dry-run").Output;
        string stats = _tool.Run("cache", "stats").Output;
        var gone = _tool.Run("cache", "gc", "--older-than", "30d", "--json");

        var answer = JsonNode.Parse(gone.Output)!;
        Assert.Equal(("schema", "scaling.cache-gc/1"), (answer.AsObject().First().Key, answer["schema"]!.GetValue<string>()));
        var stages = answer["stages"]!.AsArray();
        Assert.Equal(5, stages.Sum(s => s!["entries"]!.GetValue<int>()));
        var seconds = stages.Select(s => s!["compute_seconds"]!.GetValue<double>()).ToList();
        Assert.Equal(seconds.OrderDescending(), seconds);
        Assert.Equal(0, _tool.Run("run", "study.yaml", "--json").Executed);
        await Snapshot.Match(Masked($"# nothing is unused\n{nothing}\n# runs of long ago\n{would}\n# stats\n{stats}"));
    }

    [Fact]
    public async Task What_the_cache_commands_cannot_work_with_is_told()
    {
        string none = _tool.Run("cache", "stats").Error;
        Directory.CreateDirectory(_tool.Folder["store"]);
        string age = _tool.Run("cache", "gc", "--older-than", "soon").Error;
        var size = _tool.Run("cache", "gc", "--max-size", "50 boxes");

        Assert.Equal(2, size.ExitCode);
        await Snapshot.Match(_tool.Portable(none + age + size.Error));
    }

    private void Run()
    {
        var run = _tool.Run("run", "study.yaml");
        Assert.True(run.ExitCode == 0, run.Error);
    }

    /// <summary>Sizes and times differ from machine to machine: their digits are left out, with the blanks before them, and rows of stages, dearest first, stand by name.</summary>
    private string Masked(string text)
    {
        var lines = Figures().Replace(_tool.Portable(text), " N $1").Split('\n').ToList();
        for (int at = 0; at < lines.Count;)
        {
            int rows = lines.Skip(at).TakeWhile(l => StageRow().IsMatch(l)).Count();
            lines.Sort(at, rows, StringComparer.Ordinal);
            at += Math.Max(1, rows);
        }

        return string.Join('\n', lines);
    }

    [GeneratedRegex(@" +(?:[0-9]+ min )?[0-9][0-9.]* (kB|B|s of compute)")]
    private static partial Regex Figures();

    [GeneratedRegex("^[a-z]+ +[0-9]+ entr(?:y|ies) ")]
    private static partial Regex StageRow();
}
