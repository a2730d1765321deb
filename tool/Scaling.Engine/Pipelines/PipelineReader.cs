// A pipeline file to a document: what it may hold, with every mistake found at once.
using Scaling.Engine.Executors;
using Scaling.Sdk;

namespace Scaling.Engine.Pipelines;

/// <summary>Reads and checks a pipeline file as far as that needs no stage's declaration.</summary>
public sealed class PipelineReader
{
    /// <summary>The longest name of a pipeline or stage; both become folders.</summary>
    internal const int LongestName = 100;

    private static readonly string[] PipelineKeys = ["name", "seed", "plugins", .. PlacementReader.Keys, "stages"];
    private static readonly string[] StageKeys = ["uses", "needs", "feedback", "with", "timeout", .. PlacementReader.Keys];
    private static readonly string[] PluginKeys = ["path", "package", "version"];

    private readonly string _file;
    private readonly Findings _findings;

    private PipelineReader(string file, Findings findings)
    {
        _file = file;
        _findings = findings;
    }

    /// <summary>Reads a pipeline file. It never throws for what the file holds.</summary>
    /// <param name="path">As the user gave it; it stands so in every finding.</param>
    /// <returns>
    /// The findings (SCAL20xx) in file order, each with its place. The document is null where the file could not be read as YAML or holds no
    /// stages; where there are findings beside it, it holds what could be read, so that settings can be checked too, and must not be planned.
    /// </returns>
    public static (PipelineDocument? Document, IReadOnlyList<Diagnostic> Findings) Read(string path)
    {
        var findings = new Findings();
        var document = YamlReader.Read(path, findings) is { } root ? new PipelineReader(path, findings).Pipeline(root) : null;
        return (document, findings.InOrder());
    }

    private PipelineDocument? Pipeline(YamlNode root)
    {
        if (root is not YamlMapping mapping)
        {
            if (root is not YamlRefused)
            {
                _findings.Add(PipelineDiagnostics.NotAPipeline(root.Location, PipelineDiagnostics.Found(root)));
            }

            return null;
        }

        var keys = _findings.Keys(mapping, "A pipeline", PipelineKeys);
        string name = Name(keys.GetValueOrDefault("name"), root.Location);
        long seed = Seed(keys.GetValueOrDefault("seed"));
        var plugins = Plugins(keys.GetValueOrDefault("plugins"));
        var placement = Placement(keys, "");
        if (!keys.TryGetValue("stages", out var stages))
        {
            AddMissing(mapping, PipelineKeys, root.Location, "The pipeline", "stages", "stages: { shapes: { uses: sweep } }");
            return null;
        }

        return Stages(stages) is { Count: > 0 } some
            ? new PipelineDocument { File = _file, Name = name, Seed = seed, Plugins = plugins, Placement = placement, Stages = some }
            : null;
    }

    private void AddMissing(YamlMapping mapping, string[] allowed, SourceLocation at, string owner, string key, string example)
    {
        if (!_findings.IsMisspelt(mapping, key, allowed))
        {
            _findings.Add(PipelineDiagnostics.MissingKey(at, owner, key, example));
        }
    }

    private string Name(YamlNode? node, SourceLocation root)
    {
        switch (node)
        {
            case null:
                string ofFile = Path.GetFileNameWithoutExtension(_file);
                if (!IsName(ofFile))
                {
                    _findings.Add(PipelineDiagnostics.BadName(root, ofFile, "It is the file's name; write 'name:' to give another."));
                }

                return ofFile;
            case YamlScalar scalar:
                if (!IsName(scalar.Text))
                {
                    _findings.Add(PipelineDiagnostics.BadName(scalar.Location, scalar.Text, null));
                }

                return scalar.Text;
            default:
                _findings.AddWrong(node, "'name'", "a word");
                return "";
        }
    }

    private long Seed(YamlNode? node)
    {
        if (node is YamlScalar { Quoted: false } scalar && Quantity.TryParse(scalar.Text, out var quantity) && quantity.TryWhole(out long seed))
        {
            return seed;
        }

        if (node is not null)
        {
            _findings.AddWrong(node, "'seed'", "a whole number of 64 bits");
        }

        return 0;
    }

    private List<PluginReference> Plugins(YamlNode? node)
    {
        const string Expected = "a list of mappings with 'path', or 'package' and 'version'";
        const string Hint = "Write for example 'plugins: [ { package: Acme.Smooth, version: 1.2.0 } ]' or '[ { path: plugins/Hello.dll } ]'.";
        var plugins = new List<PluginReference>();
        if (node is not null and not YamlSequence)
        {
            _findings.AddWrong(node, "'plugins'", Expected, Hint);
        }

        foreach (var item in (node as YamlSequence)?.Items ?? [])
        {
            if (item is not YamlMapping mapping)
            {
                _findings.AddWrong(item, "'plugins'", Expected, Hint);
            }
            else if (Plugin(item, mapping, _findings.Keys(mapping, "A plugin", PluginKeys)) is { } plugin)
            {
                plugins.Add(plugin);
            }
        }

        return plugins;
    }

    private PluginReference? Plugin(YamlNode item, YamlMapping mapping, Dictionary<string, YamlNode> keys)
    {
        var (path, package, version) = (keys.GetValueOrDefault("path"), keys.GetValueOrDefault("package"), keys.GetValueOrDefault("version"));
        foreach (var (node, name, form) in new[] { (path, "path", "a path"), (package, "package", "a package id"), (version, "version", "a version") })
        {
            if (node is not null and not YamlScalar)
            {
                _findings.AddWrong(node, $"'{name}'", form);
                return null;
            }
        }

        switch (path, package, version)
        {
            case (YamlScalar file, null, null):
                return new PluginReference(file.Text, null, file.Location);
            case (null, YamlScalar id, YamlScalar text):
                return new PluginReference(id.Text, text.Text, id.Location) { VersionLocation = text.Location };
            case (null, null, null):
                AddMissing(mapping, PluginKeys, item.Location, "The plugin", "package", "{ package: Acme.Smooth, version: 1.2.0 } or { path: plugins/Hello.dll }");
                return null;
            case (null, null, _):
                AddMissing(mapping, PluginKeys, item.Location, "The plugin", "package", "package: Acme.Smooth");
                return null;
            case (null, _, null):
                AddMissing(mapping, PluginKeys, item.Location, "The plugin", "version", "version: 1.2.0");
                return null;
            default:
                _findings.Add(PipelineDiagnostics.PathAndPackage(item.Location));
                return null;
        }
    }

    private List<StageDocument> Stages(YamlNode node)
    {
        var stages = new List<StageDocument>();
        if (node is not YamlMapping { Entries.Count: > 0 } mapping)
        {
            _findings.AddWrong(node, "'stages'", "a mapping of at least one stage", "Write for example 'shapes: { uses: sweep }' under it.");
            return stages;
        }

        foreach (var (id, value) in mapping.Entries)
        {
            if (!IsStageId(id.Text))
            {
                _findings.Add(PipelineDiagnostics.BadStageId(id.Location, id.Text));
            }

            if (Stage(id, value) is { } stage)
            {
                stages.Add(stage);
            }
        }

        NeedsGraph.Check(stages, [.. mapping.Entries.Select(e => e.Key.Text)], _findings);
        return stages;
    }

    private StageDocument? Stage(YamlScalar id, YamlNode node)
    {
        string owner = $"Stage '{PipelineDiagnostics.Shown(id.Text)}'";
        if (node is not YamlMapping mapping)
        {
            _findings.AddWrong(node, owner, "a mapping with 'uses'", "Write for example '{ uses: sweep }'.");
            return null;
        }

        var keys = _findings.Keys(mapping, owner, StageKeys, "A stage's settings stand under 'with:'.");
        var needs = Needs(keys.GetValueOrDefault("needs"), id.Text);
        var feedback = Feedback(keys.GetValueOrDefault("feedback"), owner);
        var with = With(keys.GetValueOrDefault("with"), owner);
        var timeout = Timeout(keys.GetValueOrDefault("timeout"), owner);
        var placement = Placement(keys, $"{owner}: ");
        switch (keys.GetValueOrDefault("uses"))
        {
            case YamlScalar uses:
                return new StageDocument
                {
                    Id = id.Text,
                    Location = id.Location,
                    Uses = uses.Text,
                    UsesLocation = uses.Location,
                    Needs = needs,
                    Feedback = feedback,
                    With = with,
                    Timeout = timeout,
                    Placement = placement,
                };
            case null:
                AddMissing(mapping, StageKeys, id.Location, owner, "uses", "uses: sweep");
                return null;
            case var other:
                _findings.AddWrong(other, "'uses'", "a stage type");
                return null;
        }
    }

    private YamlMapping? With(YamlNode? node, string owner)
    {
        if (node is null or YamlMapping)
        {
            return node as YamlMapping;
        }

        _findings.AddWrong(node, $"{owner}: 'with'", "a mapping of settings");
        return null;
    }

    private TimeSpan? Timeout(YamlNode? node, string owner)
    {
        if (node is YamlScalar scalar && Duration.TryParse(scalar.Text, out var timeout))
        {
            return timeout;
        }

        if (node is not null and not YamlRefused)
        {
            _findings.Add(PipelineDiagnostics.BadDuration(node.Location, $"{owner}: 'timeout'", PipelineDiagnostics.Found(node)));
        }

        return null;
    }

    private Placement Placement(Dictionary<string, YamlNode> keys, string owner) =>
        new PlacementReader(_findings).Read(keys.GetValueOrDefault("executor"), keys.GetValueOrDefault("resources"), owner);

    private List<Need> Needs(YamlNode? node, string stage)
    {
        var needs = new List<Need>();
        switch (node)
        {
            case YamlMapping roles:
                foreach (var (role, sources) in roles.Entries)
                {
                    AddNeeds(needs, stage, role.Text, sources);
                }

                break;
            case not null:
                AddNeeds(needs, stage, null, node);
                break;
        }

        return needs;
    }

    /// <summary>One source or a list of them, for a role or to bind by kind.</summary>
    private void AddNeeds(List<Need> needs, string stage, string? role, YamlNode sources)
    {
        foreach (var node in sources is YamlSequence list ? list.Items : [sources])
        {
            if (node is not YamlScalar source || node.IsNull)
            {
                _findings.AddWrong(
                    node, role is null ? $"Stage '{PipelineDiagnostics.Shown(stage)}': 'needs'" : $"Role '{PipelineDiagnostics.Shown(role)}'",
                    role is null ? "a stage, a list of stages, or a mapping of roles to stages or files" : "a stage or a file");
                continue;
            }

            bool isFile = source.Text.AsSpan().IndexOfAny('.', '/') >= 0;
            if (isFile && role is null)
            {
                _findings.Add(PipelineDiagnostics.FileWithoutRole(source.Location, stage, source.Text));
            }
            else
            {
                needs.Add(new Need(role, source.Text, isFile, source.Location));
            }
        }
    }

    private List<Need> Feedback(YamlNode? node, string owner)
    {
        var feedback = new List<Need>();
        foreach (var item in node is YamlSequence list ? list.Items : node is null ? [] : [node])
        {
            if (item is YamlScalar { IsNull: false } source)
            {
                feedback.Add(new Need(null, source.Text, IsFile: false, source.Location));
            }
            else
            {
                _findings.AddWrong(item, $"{owner}: 'feedback'", "a stage, or a list of stages, that need this one");
            }
        }

        return feedback;
    }

    /// <summary>Whether a text can name a pipeline.</summary>
    internal static bool IsName(string text) =>
        text.Length is > 0 and <= LongestName && char.IsAsciiLetterOrDigit(text[0])
        && text.All(c => char.IsAsciiLetterOrDigit(c) || c is '.' or '_' or '-');

    /// <summary>Whether a text can name a stage.</summary>
    internal static bool IsStageId(string text) =>
        text.Length is > 0 and <= LongestName && char.IsAsciiLetter(text[0]) && text.All(c => char.IsAsciiLetterOrDigit(c) || c is '_' or '-');
}
