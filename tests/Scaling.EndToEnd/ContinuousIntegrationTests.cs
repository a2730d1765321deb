// What GitHub and GitLab are shown of a run.
using System.Text.RegularExpressions;
using Scaling.TestKit;

namespace Scaling.EndToEnd;

public sealed partial class ContinuousIntegrationTests : IDisposable
{
    private const string Stages = """
          rows: { uses: echo, with: { text: "warn,grumble", count: 2 } }
          work: { uses: misbehave-row, needs: rows, with: { milliseconds: 0 } }
          told: { uses: tell, with: { text: "# What came of it\n" } }

        """;

    private readonly Tool _tool = new();

    public void Dispose() => _tool.Dispose();

    [Fact]
    public async Task GitHub_folds_stages_shows_findings_where_they_are_and_has_a_page()
    {
        _tool.Environment["GITHUB_ACTIONS"] = "true";
        _tool.Environment["GITHUB_WORKSPACE"] = _tool.Folder.Path;
        _tool.Environment["GITHUB_STEP_SUMMARY"] = _tool.Folder["summary.md"];
        Directory.CreateDirectory(_tool.Folder["studies"]);
        _tool.Write("studies/study.yaml", Stages);

        var run = _tool.Run("run", "studies/study.yaml", "--jobs", "1");

        Assert.Equal(1, run.ExitCode);
        await Snapshot.Match(_tool.Scrubbed($"{InOrder(run.Error)}\n# the page\n{File.ReadAllText(_tool.Folder["summary.md"])}"));
    }

    [Fact]
    public async Task GitLab_folds_stages()
    {
        _tool.Environment["GITLAB_CI"] = "true";
        _tool.Write("study.yaml", Stages);

        var run = _tool.Run("run", "study.yaml", "--jobs", "1");

        string seen = InOrder(run.Error).Replace("\u001b", "ESC").Replace("\r", "CR");
        await Snapshot.Match(Seconds().Replace(_tool.Scrubbed(seen), ":TIME:"));
    }

    [Fact]
    public void Findings_of_check_are_escaped_as_GitHub_reads_them()
    {
        _tool.Environment["GITHUB_ACTIONS"] = "true";
        _tool.Environment["GITHUB_WORKSPACE"] = _tool.Folder.Path;
        _tool.Write("100%, all: of it.yaml", "  rows: { uses: echo, with: { cont: 3 } }\n");

        var check = _tool.Run("check", "100%, all: of it.yaml");

        Assert.Equal(3, check.ExitCode);
        Assert.Contains("\n::error file=100%25%2C all%3A of it.yaml,line=4,col=31,title=SCAL2040::Stage type 'echo' has no setting 'cont'; it has text, count.%0ADid you mean 'count'?\n", check.Error);
    }

    [Fact]
    public void Lines_of_two_stages_do_not_mix()
    {
        _tool.Environment["GITHUB_ACTIONS"] = "true";
        _tool.Write("study.yaml", """
              rows: { uses: echo, with: { text: "warn", count: 6 } }
              one: { uses: misbehave-row, needs: rows, with: { milliseconds: 1 } }
              two: { uses: misbehave-row, needs: rows, with: { milliseconds: 2 } }
              three: { uses: misbehave-row, needs: rows, with: { milliseconds: 3 } }

            """);

        var run = _tool.Run("run", "study.yaml", "--jobs", "3");

        string open = "";
        foreach (string line in run.Error.Split('\n'))
        {
            if (line.StartsWith("::group::", StringComparison.Ordinal))
            {
                Assert.Equal("", open);
                open = line["::group::".Length..].Split(' ')[0];
            }
            else if (line == "::endgroup::")
            {
                Assert.NotEqual("", open);
                open = "";
            }
            else if (open.Length > 0 && line.Contains("study.yaml(", StringComparison.Ordinal))
            {
                string place = open switch { "one" => "(5,", "two" => "(6,", "three" => "(7,", _ => "(4," };
                Assert.Contains($"study.yaml{place}", line);
            }
        }

        Assert.Equal(("", 18), (open, run.Error.Split("::warning ").Length - 1));
    }

    /// <summary>Stages that do not depend on each other end in any order; their groups are whole, and sorted here.</summary>
    private static string InOrder(string log)
    {
        string[] parts = Groups().Split(log);
        return string.Concat(parts.SkipLast(1).Order(StringComparer.Ordinal)) + parts[^1];
    }

    [GeneratedRegex(@"(?<=::endgroup::\n|\u001b\[0Ksection_end:\d+:\w+\r\u001b\[0K\n)")]
    private static partial Regex Groups();

    [GeneratedRegex(@":\d{10}:")]
    private static partial Regex Seconds();
}
