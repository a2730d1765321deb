// What a pipeline file may hold, and what the user reads where it holds something else.
using System.Text;
using Scaling.Engine.Pipelines;
using Scaling.TestKit;
using static Scaling.Engine.Tests.Pipelines.Reading;

namespace Scaling.Engine.Tests.Pipelines;

public class PipelineReaderTests
{
    private const string Quickstart = """
        # yaml-language-server: $schema=pipeline.schema.json
        name: quickstart
        seed: 20251021
        stages:
          shapes:
            uses: sweep
            with:
              sizes: [8k, 16k, 32k]             # parameters, non-embedding
              layers: 2
              head_size: 8
              multiple_of: 4
              x: [0.16, 0.24, 0.36]             # hidden / sqrt(parameters)
              ratio: [0.5, 1.5, 4]              # MLP to attention
              gqa: [2]
          runs:   { uses: train,       needs: shapes, with: { corpus: dotnet-docs, tokens_per_parameter: [10, 20] } }
          speed:  { uses: measure,     needs: shapes, with: { workload: { prompt: 128, output: 64, batch: 8 } } }
          law:    { uses: fit,         needs: runs }
          larger: { uses: extrapolate, needs: [law, runs], with: { hold_out: largest, sizes: [64k, 128k] } }
          best:   { uses: search,      needs: [law, speed], with: { size: 64k, tokens_per_parameter: 20, baseline: { hidden: 48, ratio: 4, gqa: 2 } } }
          config: { uses: export,      needs: [best, runs, law, larger, speed], with: { formats: [huggingface] } }
        """;

    [Fact]
    public void The_example_pipeline_is_read_with_every_word_in_its_place()
    {
        var document = Document(Quickstart);

        Assert.Equal(("quickstart", 20251021L), (document.Name, document.Seed));
        Assert.Equal(["shapes", "runs", "speed", "law", "larger", "best", "config"], document.Stages.Select(s => s.Id));
        Assert.Equal(["sweep", "train", "measure", "fit", "extrapolate", "search", "export"], document.Stages.Select(s => s.Uses));
        Assert.Equal(["law", "runs"], document.Stages[4].Needs.Select(n => n.Source));
        Assert.Equal((15, 3), (document.Stages[1].Location.Line, document.Stages[1].Location.Column));
        Assert.Equal((15, 19), (document.Stages[1].UsesLocation.Line, document.Stages[1].UsesLocation.Column));
        Assert.Equal((19, 40), (document.Stages[5].Needs[0].Location.Line, document.Stages[5].Needs[0].Location.Column));
        var sizes = ((YamlMapping)document.Stages[0].With!).Entries[0];
        Assert.Equal(("sizes", 8, 7), (sizes.Key.Text, sizes.Key.Location.Line, sizes.Key.Location.Column));
        Assert.Equal((8, 19), (((YamlSequence)sizes.Value).Items[1].Location.Line, ((YamlSequence)sizes.Value).Items[1].Location.Column));
    }

    [Fact]
    public void Needs_may_name_roles_files_and_nothing_and_timeouts_have_units()
    {
        var document = Document("""
            plugins: [ { path: plugins/Hello.dll }, { package: Acme.Smooth, version: 1.* } ]
            stages:
              a: { uses: sweep, needs: , with: , timeout: 90s }
              b: { uses: fit, needs: { runs: data/runs.csv, laws: [a, other.json] }, timeout: 1.5h }
            """);

        Assert.Equal("study", document.Name);
        Assert.Equal(0, document.Seed);
        Assert.Equal([("plugins/Hello.dll", null), ("Acme.Smooth", "1.*")], document.Plugins.Select(p => (p.Name, p.Version)));
        Assert.Empty(document.Stages[0].Needs);
        Assert.Null(document.Stages[0].With);
        Assert.Equal(TimeSpan.FromSeconds(90), document.Stages[0].Timeout);
        Assert.Equal([("runs", "data/runs.csv", true), ("laws", "a", false), ("laws", "other.json", true)], document.Stages[1].Needs.Select(n => (n.Role!, n.Source, n.IsFile)));
        Assert.Equal(TimeSpan.FromMinutes(90), document.Stages[1].Timeout);
    }

    [Fact]
    public Task A_file_that_cannot_be_read_says_why()
    {
        using var folder = new TemporaryFolder();
        folder.Write("quickstart.yaml", Quickstart);
        Directory.CreateDirectory(folder["pipelines"]);
        File.WriteAllBytes(folder["large.yaml"], new byte[2_000_000]);
        File.WriteAllBytes(folder["program"], [0x7F, (byte)'E', (byte)'L', (byte)'F', 0, 0]);
        File.WriteAllBytes(folder["latin1.yaml"], [.. "name: a\n# f"u8, 0xFC, .. "r\n"u8]);
        File.WriteAllText(folder["utf16.yaml"], Quickstart, Encoding.Unicode);
        folder.Write("empty.yaml", "");
        folder.Write("comments.yaml", "# nothing\n\n# here\n");
        folder.Write("separator.yaml", "---\n");
        string[] files =
            ["quikstart.yaml", "nowhere/at all.yaml", "pipelines", "large.yaml", "program", "latin1.yaml", "utf16.yaml", "empty.yaml", "comments.yaml", "separator.yaml"];

        return Snapshot.Match(string.Join('\n', files.Select(f => Console(folder, PipelineReader.Read(folder[f]).Findings))));
    }

    [Fact]
    public void A_file_that_the_system_will_not_read_is_told_with_the_system_s_reason() =>
        Assert.StartsWith("/proc/self/mem: error SCAL2003: The file cannot be read: ", Assert.Single(PipelineReader.Read("/proc/self/mem").Findings).ToString());

    [Fact]
    public Task Broken_YAML_is_told_in_plain_words_with_its_place() => Snapshot.Match(Each(
        "stages: { a: { uses: fit }",
        "stages:\n  a: [1, 2\n  b: 3\n",
        "stages:\n  a: 'fit\n",
        "name: a: b\n",
        "name: @fit\n",
        "stages:\n  - a\n b: 1\n",
        "stages:\n\ta: { uses: fit }\n",
        "name: \"\\q\"\n",
        "stages: - a\n",
        "name: a\nstages\n",
        "name: ]\n",
        "stages:\n  a:\n    : uses: fit\n",
        "stages:\n  a:\n    uses: fit\n  :\n",
        "%YAML 9.9\n---\nname: a\n"));

    [Fact]
    public Task What_YAML_can_do_and_a_pipeline_cannot_is_refused() => Snapshot.Match(Each(
        "stages:\n  a: &x { uses: fit }\n  b: *x\n",
        "seed: !!int 3\nstages: !study { a: { uses: ! fit } }\n",
        "stages:\n  a: { uses: fit }\n  b: { uses: fit, uses: sweep }\n  a: { uses: sweep }\n",
        "stages: { a: { uses: fit } }\n---\nstages: { a: { uses: fit } }\n",
        "? [a, b]\n: 1\n? *c\n: 2\nstages: { a: { uses: fit } }\n",
        "- stages\n",
        "stages\n",
        "*stages\n",
        "<<: { name: a }\nstages: { a: { uses: fit } }\n"));

    [Fact]
    public Task Unknown_missing_and_malformed_keys_are_all_told_at_once() => Snapshot.Match(Findings("""
        nmae: study
        name: ../up
        seed: 1.5
        plugins:
          - Hello.dll
          - { path: [a] }
          - { file: a.dll }
          - { path: plugins/Fine.dll }
          - { path: a.dll, package: A, version: 1.0.0 }
          - { package: A }
          - { version: 1.0.0 }
          - { package: [A], version: 1.0.0 }
        stages:
          1st: { uses: sweep }
          a: sweep
          b:
          c: { use: sweep, need: b, layers: 3 }
          d: { uses: [sweep], with: [1], timeout: ten }
          e: { uses: fit, needs: [[a], ~], timeout: 10 min }
          f: { uses: fit, needs: { runs: { from: a }, law: } }
        stagse: {}
        """));

    [Fact]
    public Task A_pipeline_without_stages_or_with_a_file_name_that_is_no_name_says_what_to_write() => Snapshot.Match(string.Join('\n',
        Findings("name: a\n"),
        Findings("stagse: { a: { uses: fit } }\n"),
        Findings("stages: {}\n"),
        Findings("stages: [a]\n"),
        Findings("stages:\n"),
        Findings("plugins: Hello.dll\nstages: { a: { uses: fit } }\n"),
        Findings("name: [a]\nseed: '3'\nstages: { a: { uses: fit } }\n"),
        Findings("seed: 1e30\nstages: { a: { uses: fit } }\n"),
        Findings("stages: { a: { uses: fit } }\n", "my study.yaml")));

    [Fact]
    public Task Needs_that_lead_nowhere_or_round_in_a_circle_are_named() => Snapshot.Match(Findings("""
        stages:
          shapes: { uses: sweep, needs: config }
          runs: { uses: train, needs: shaeps }
          law: { uses: fit, needs: [runs, law, runs] }
          table: { uses: fit, needs: [data/runs.csv] }
          best: { uses: search, needs: { law: law, speed: zzz } }
          after: { uses: fit, needs: shapes }
          speed: { uses: measure, needs: shapes }
          config: { uses: export, needs: [best, speed] }
          x: { uses: fit, needs: y }
          y: { uses: fit, needs: x }
        """));

    [Fact]
    public Task Feedback_comes_from_stages_that_need_the_one_that_takes_it() => Snapshot.Match(Findings("""
        stages:
          before: { uses: sweep }
          shapes: { uses: sweep, needs: { table: before }, feedback: [runs, shapes, law, runs, before, rnus, beside] }
          runs: { uses: train, needs: shapes }
          law: { uses: fit, needs: runs }
          beside: { uses: sweep, feedback: { runs: runs } }
          other: { uses: sweep, feedback: }
        """));

    [Fact]
    public void A_long_chain_of_needs_is_no_depth_and_a_long_circle_is_told_in_one_line()
    {
        const int Stages = 12_000;
        string chain = "stages:\n" + string.Concat(Enumerable.Range(0, Stages).Select(i => $"  s{i}: {{ uses: fit{(i == 0 ? "" : $", needs: s{i - 1}")} }}\n"));

        Assert.Empty(Findings(chain));
        string circle = Findings(chain.Replace("s0: { uses: fit }", $"s0: {{ uses: fit, needs: s{Stages - 1} }}", StringComparison.Ordinal));
        Assert.StartsWith("study.yaml(2,27): error SCAL2032: Stages need each other in a circle: s0 → s11999 → s11998", circle);
        Assert.Equal((1, true), (circle.Split('\n').Length, circle.Length < 500));
    }

    [Fact]
    public void What_the_user_wrote_is_shown_without_control_characters_and_not_at_length()
    {
        string seen = Findings("\"\\e[31mred\\0\\n" + new string('x', 1000) + "\": 1\nstages: { a: { uses: fit } }\n");

        Assert.Contains("'\\u001b[31mred\\u0000\\nxxx", seen);
        Assert.True(seen.Length < 250, seen);
        Assert.DoesNotContain('\u001b', seen);
    }

    private static string Each(params string[] files) => string.Join("\n\n", files.Select(f => Findings(f)));
}
