// 'executor:' and 'resources:' of a pipeline, a stage or a profile: texts and units to a placement, every mistake found at once.
using System.Globalization;
using System.Text.RegularExpressions;
using Scaling.Engine.Pipelines;
using Scaling.Sdk;

namespace Scaling.Engine.Executors;

/// <summary>Reads what a YAML file says of where actions run.</summary>
/// <param name="findings">Takes what is wrong.</param>
internal sealed partial class PlacementReader(Findings findings)
{
    /// <summary>What is read here, wherever it stands.</summary>
    public static readonly string[] Keys = ["executor", "resources"];

    /// <summary>The keys of <c>resources:</c>.</summary>
    public static readonly string[] ResourceKeys =
        ["partition", "account", "qos", "constraint", "exclude", "gres", "nodes", "tasks_per_node", "cpus", "mem", "time", "pack", "limit", "flags", "wrap"];

    private const decimal LargestMebibytes = 1L << 40; // An exbibyte.
    private static readonly TimeSpan LongestTime = TimeSpan.FromDays(366);

    /// <summary>What is said; what is wrong is left away, and found.</summary>
    /// <param name="executor">Value of <c>executor:</c>; null where it is not there.</param>
    /// <param name="resources">Value of <c>resources:</c>; null where it is not there.</param>
    /// <param name="owner">Stands before the key in findings, such as <c>Stage 'runs': </c>; empty for a whole file.</param>
    public Placement Read(YamlNode? executor, YamlNode? resources, string owner) => new(Executor(executor, owner), OfResources(resources, owner));

    private ExecutorKind? Executor(YamlNode? node, string owner)
    {
        if (node is null or YamlRefused)
        {
            return null;
        }

        if (node is YamlScalar word && Placement.Executors.TryGetValue(word.Text, out var kind))
        {
            return kind;
        }

        findings.Add(PipelineDiagnostics.NoExecutor(node.Location, $"{owner}'executor'", PipelineDiagnostics.Found(node), node is YamlScalar other ? findings.Nearest(other.Text, Placement.Executors.Keys) : null));
        return null;
    }

    private Resources OfResources(YamlNode? node, string owner)
    {
        if (node is not YamlMapping mapping)
        {
            if (node is not null)
            {
                findings.AddWrong(node, $"{owner}'resources'", "a mapping", "Write for example 'resources: { partition: gpu, gres: \"gpu:1\", time: 4h }'.");
            }

            return Resources.None;
        }

        var said = findings.Keys(mapping, $"{owner}'resources'", ResourceKeys);
        return new Resources
        {
            Partition = Text("partition"),
            Account = Text("account"),
            Qos = Text("qos"),
            Constraint = Text("constraint"),
            Exclude = Text("exclude"),
            Gres = Text("gres"),
            Nodes = Count("nodes"),
            TasksPerNode = Count("tasks_per_node"),
            Cpus = Count("cpus"),
            MemoryMebibytes = Said("mem", Mebibytes, PipelineDiagnostics.NoMemory),
            Time = Said("time", TimeLimit, PipelineDiagnostics.NoTimeLimit),
            Pack = Count("pack"),
            Limit = Count("limit"),
            Flags = said.TryGetValue("flags", out var flags) ? Flags(flags, Name("flags")) : null,
            Wrap = said.TryGetValue("wrap", out var wrap) ? Words(wrap, Name("wrap")) : null,
        };

        string Name(string key) => $"{owner}'resources.{key}'";

        string? Text(string key)
        {
            if (!said.TryGetValue(key, out var value))
            {
                return null;
            }

            if (value is YamlScalar scalar && IsOneLine(scalar.Text))
            {
                return scalar.Text;
            }

            Find(value, PipelineDiagnostics.NoLine(value.Location, Name(key), PipelineDiagnostics.Found(value)));
            return null;
        }

        int? Count(string key) => (int?)Said(key, WholeFrom1, PipelineDiagnostics.NoCount);

        T? Said<T>(string key, Func<YamlScalar, T?> read, Func<SourceLocation, string, string, Diagnostic> wrong)
            where T : struct
        {
            if (!said.TryGetValue(key, out var value))
            {
                return null;
            }

            var result = value is YamlScalar scalar ? read(scalar) : null;
            if (result is null)
            {
                Find(value, wrong(value.Location, Name(key), PipelineDiagnostics.Found(value)));
            }

            return result;
        }
    }

    private List<string> Flags(YamlNode node, string name)
    {
        var flags = new List<string>();
        foreach (var item in node is YamlSequence list ? list.Items : [node])
        {
            if (item is not YamlScalar scalar || !IsOneLine(scalar.Text) || !SbatchFlag.IsOne(scalar.Text))
            {
                Find(item, PipelineDiagnostics.NoFlag(item.Location, name, PipelineDiagnostics.Found(item)));
            }
            else if (SbatchFlag.KeyOf(scalar.Text) is { } key)
            {
                findings.Add(PipelineDiagnostics.FlagOfKey(scalar.Location, name, scalar.Text, key));
            }
            else if (SbatchFlag.IsOfTool(scalar.Text))
            {
                findings.Add(PipelineDiagnostics.FlagOfTool(scalar.Location, name, scalar.Text));
            }
            else
            {
                flags.Add(scalar.Text);
            }
        }

        return flags;
    }

    private List<string> Words(YamlNode node, string name)
    {
        var words = new List<string>();
        if (node is not YamlSequence list)
        {
            findings.AddWrong(node, name, "a list of words", "Write for example '[apptainer, exec, --nv, node.sif]'.");
            return words;
        }

        foreach (var item in list.Items)
        {
            if (item is YamlScalar scalar && IsOneLine(scalar.Text))
            {
                words.Add(scalar.Text);
            }
            else
            {
                Find(item, PipelineDiagnostics.NoLine(item.Location, name, PipelineDiagnostics.Found(item)));
            }
        }

        return words;
    }

    /// <summary>What was refused as YAML was found there.</summary>
    private void Find(YamlNode node, Diagnostic finding)
    {
        if (node is not YamlRefused)
        {
            findings.Add(finding);
        }
    }

    /// <summary>Whether a text can stand in a line of a script: there is something, without blanks around it, and nothing ends the line.</summary>
    private static bool IsOneLine(string text) =>
        text.Length > 0 && text.Trim().Length == text.Length && !text.Any(c => char.IsControl(c) || c is '\u2028' or '\u2029');

    private static long? WholeFrom1(YamlScalar scalar) =>
        !scalar.Quoted && Quantity.TryParse(scalar.Text, out var quantity) && quantity.TryWhole(out long whole) && whole is >= 1 and <= int.MaxValue ? whole : null;

    /// <summary>Slurm's <c>512K 500M 32G 1T</c> and this tool's <c>32Gi</c>, both of 1024; a bare number is MiB. Rounded up to whole MiB.</summary>
    private static long? Mebibytes(YamlScalar scalar)
    {
        var match = MemoryPattern().Match(scalar.Text);
        if (!match.Success || !decimal.TryParse(match.Groups["count"].ValueSpan, NumberStyles.AllowDecimalPoint, CultureInfo.InvariantCulture, out decimal count))
        {
            return null;
        }

        decimal mebibytes = decimal.Ceiling(match.Groups["unit"].Value.ToUpperInvariant() switch
        {
            "K" => count / 1024,
            "G" => count * 1024,
            "T" => count * (1024 * 1024),
            _ => count,
        });
        return mebibytes is >= 1 and <= LargestMebibytes ? (long)mebibytes : null;
    }

    /// <summary>This tool's <c>90s 10m 4h 2d</c>, and Slurm's <c>HH:MM:SS</c>, <c>D-HH</c>, <c>D-HH:MM</c> and <c>D-HH:MM:SS</c>. Its <c>MM</c> and <c>MM:SS</c> look like hours to others and are refused.</summary>
    private static TimeSpan? TimeLimit(YamlScalar scalar)
    {
        if (Duration.TryParse(scalar.Text, out var duration))
        {
            return duration;
        }

        var match = SlurmTimePattern().Match(scalar.Text);
        var (days, hours, minutes, seconds) = (Part("days"), Part("hours"), Part("minutes"), Part("seconds"));
        if (!match.Success || minutes > 59 || seconds > 59 || (match.Groups["days"].Success ? hours > 23 : !match.Groups["seconds"].Success))
        {
            return null;
        }

        var time = new TimeSpan(days, hours, minutes, seconds);
        return time > TimeSpan.Zero && time <= LongestTime ? time : null;

        int Part(string name) => match.Groups[name].Success ? int.Parse(match.Groups[name].ValueSpan, CultureInfo.InvariantCulture) : 0;
    }

    [GeneratedRegex(@"^(?<count>[0-9]{1,15}(\.[0-9]{1,9})?)((?<unit>[KMGTkmgt])i?)?\z", RegexOptions.ExplicitCapture)]
    private static partial Regex MemoryPattern();

    [GeneratedRegex(@"^((?<days>[0-9]{1,3})-)?(?<hours>[0-9]{1,4})(:(?<minutes>[0-9]{2})(:(?<seconds>[0-9]{2}))?)?\z", RegexOptions.ExplicitCapture)]
    private static partial Regex SlurmTimePattern();
}
