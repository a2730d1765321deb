// What pipelines/README.md says, and the pipelines that the repository shows, against the built tool.
using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Nodes;
using System.Text.RegularExpressions;
using Scaling.TestKit;

namespace Scaling.EndToEnd;

public sealed partial class DocumentationTests : IDisposable
{
    private static readonly JsonSerializerOptions AsWritten = new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    private static readonly string Readme = File.ReadAllText(Path.Combine(Repository.Root, "pipelines", "README.md"));

    private readonly Tool _tool = new();

    public void Dispose() => _tool.Dispose();

    [Fact]
    public void The_tables_of_settings_say_what_the_schema_says()
    {
        var schema = JsonNode.Parse(_tool.Run("schema").Output)!["$defs"]!.AsObject();
        string[] stages = [.. schema.Select(d => d.Key).Where(k => k.StartsWith("settings-", StringComparison.Ordinal)).Select(k => k["settings-".Length..])];

        Assert.Equal(stages.Order(StringComparer.Ordinal), Sections().Keys.Order(StringComparer.Ordinal));
        foreach (string stage in stages)
        {
            string[] listed = [.. Sections()[stage].Split('\n').Where(line => line.StartsWith("| `", StringComparison.Ordinal))];
            Assert.Equal(Rows(schema["settings-" + stage]!, ""), listed);
        }
    }

    [Fact]
    public void The_examples_of_the_stages_are_one_pipeline_without_a_mistake()
    {
        var examples = Sections().Values.SelectMany(section => Example().Matches(section).Select(m => "  " + m.Groups[1].Value.TrimEnd('\n').Replace("\n", "\n  ")));
        _tool.Folder.Write("mine/losses.csv", "params,toks,nats,d_model,r\n");
        _tool.Folder.Write("theirs/checkpoints.jsonl", "{}\n");
        _tool.Folder.Write("study.yaml", $"stages:\n{string.Join('\n', examples)}\n");

        var check = _tool.Run("check", "study.yaml");

        Assert.True(check.ExitCode == 0, check.Error);
    }

    [Theory]
    [MemberData(nameof(Pipelines))]
    public void Every_pipeline_of_the_repository_is_without_a_mistake(string pipeline)
    {
        var check = _tool.Run("check", Path.Combine(Repository.Root, pipeline));

        // The corpus of a large study is its user's: nothing else may be missing.
        string[] findings = [.. check.Error.Split('\n').Where(line => line.Contains("SCAL", StringComparison.Ordinal))];
        Assert.All(findings, finding => Assert.Contains("SCAL3005: The setting 'corpus' names", finding, StringComparison.Ordinal));
        Assert.True(check.ExitCode == (findings.Length == 0 ? 0 : 3), check.Error);
    }

    [Fact]
    public void The_profile_of_the_repository_is_without_a_mistake()
    {
        _tool.Environment["SCALING_PROFILE"] = Path.Combine(Repository.Root, "examples/slurm/profile.yaml");

        var check = _tool.Run("check", Path.Combine(Repository.Root, "pipelines/quickstart.yaml"));

        Assert.True(check.ExitCode == 0, check.Error);
    }

    /// <summary>Those whose plugins are built.</summary>
    public static TheoryData<string> Pipelines() => new(
        new[] { "pipelines", "examples" }
            .SelectMany(folder => Directory.EnumerateFiles(Path.Combine(Repository.Root, folder), "*.yaml", SearchOption.AllDirectories))
            .Where(file => Path.GetFileName(file) != "profile.yaml") // No pipeline.
            .Where(file => !file.Contains("/obj/", StringComparison.Ordinal) && !file.Contains("/bin/", StringComparison.Ordinal))
            .Where(file => Plugin().Matches(File.ReadAllText(file)).All(m => File.Exists(Path.Combine(Path.GetDirectoryName(file)!, m.Groups[1].Value))))
            .Select(file => Path.GetRelativePath(Repository.Root, file))
            .Order(StringComparer.Ordinal));

    /// <summary>The section of each stage: from its heading, its type in code, to the next.</summary>
    private static Dictionary<string, string> Sections() =>
        Section().Matches(Readme).ToDictionary(m => m.Groups[1].Value, m => m.Groups[2].Value, StringComparer.Ordinal);

    /// <summary>A row for every setting, in the order of the schema; the settings of a record follow it.</summary>
    private static IEnumerable<string> Rows(JsonNode record, string path)
    {
        string[] required = [.. record["required"]?.AsArray().Select(r => (string)r!) ?? []];
        foreach (var (name, setting) in record["properties"]!.AsObject())
        {
            var inner = new[] { setting! }.Concat(setting!["anyOf"]?.AsArray().Select(c => c!) ?? []).FirstOrDefault(c => c["properties"] is not null);
            var words = About().Match((string)setting["description"]!);
            string unit = words.Groups["unit"].Success ? words.Groups["unit"].Value : words.Groups["takes"].Value.Contains(" number", StringComparison.Ordinal) ? "1" : "";
            string standard = required.Contains(name) ? "required" : setting["default"] is not { } value ? "absent" : inner is not null ? "as follows" : $"`{Written(value)}`";
            yield return $"| `{path}{name}` | {unit} | {standard} | {words.Groups["takes"].Value} | {words.Groups["meaning"].Value} |";
            foreach (string row in inner is null ? [] : Rows(inner, $"{path}{name}."))
            {
                yield return row;
            }
        }
    }

    /// <summary>As YAML has it.</summary>
    private static string Written(JsonNode value) => value switch
    {
        JsonArray list => $"[{string.Join(", ", list.Select(v => Written(v!)))}]",
        JsonValue text when text.GetValueKind() == JsonValueKind.String => (string)text!,
        _ => value.ToJsonString(AsWritten).Replace("E-0", "e-", StringComparison.Ordinal),
    };

    [GeneratedRegex(@"^### `([a-z]+)`[^\n]*\n(.*?)(?=^##|\z)", RegexOptions.Multiline | RegexOptions.Singleline)]
    private static partial Regex Section();

    [GeneratedRegex(@"^```yaml\n(.*?)^```", RegexOptions.Multiline | RegexOptions.Singleline)]
    private static partial Regex Example();

    [GeneratedRegex(@"^\s*- path: (\S+)", RegexOptions.Multiline)]
    private static partial Regex Plugin();

    [GeneratedRegex(@"^(?<meaning>.*) Takes (?<takes>.*?)(?: \((?<unit>[^()]*)\))?\.(?: Default: .*)?$", RegexOptions.Singleline)]
    private static partial Regex About();
}
