// A file of a stranger to a tree of positioned nodes, within limits that are checked before and at every event.
using System.Text;
using Scaling.Sdk;
using YamlDotNet.Core;
using YamlDotNet.Core.Events;

namespace Scaling.Engine.Pipelines;

/// <summary>
/// Reads one YAML document with the event parser. YamlStream is the road not taken: it builds its tree before anyone can count, so
/// 100 000 brackets cost it half a minute (and once the process: YamlDotNet #1109).
/// </summary>
internal sealed class YamlReader
{
    /// <summary>The largest file that is read.</summary>
    public const int LimitBytes = 1 << 20;

    /// <summary>The most lists and mappings within each other that are read.</summary>
    public const int LimitDepth = 32;

    /// <summary>The most scalars, lists and mappings that are read.</summary>
    public const int LimitNodes = 100_000;

    private static readonly UTF8Encoding StrictUtf8 = new(encoderShouldEmitUTF8Identifier: false, throwOnInvalidBytes: true);

    private readonly string _file;
    private readonly Findings _findings;
    private readonly Parser _parser;
    private int _nodes;

    private YamlReader(string file, string text, Findings findings)
    {
        _file = file;
        _findings = findings;
        _parser = new Parser(new Scanner(new StringReader(text), skipComments: true));
    }

    /// <summary>The document's root, or null where there is none to go on with; what is wrong is added to the findings.</summary>
    /// <param name="file">Path as the user gave it.</param>
    /// <param name="findings">Takes what is wrong.</param>
    public static YamlNode? Read(string file, Findings findings)
    {
        try
        {
            string text = Text(file);
            return new YamlReader(file, text, findings).Document();
        }
        catch (RefusedException refused)
        {
            findings.Add(refused.Finding);
            return null;
        }
    }

    /// <summary>The root of a text; null where there is none to go on with; what is wrong is added to the findings.</summary>
    /// <param name="source">What stands in the findings for a file's path.</param>
    /// <param name="text">YAML.</param>
    /// <param name="findings">Takes what is wrong.</param>
    public static YamlNode? ReadText(string source, string text, Findings findings)
    {
        try
        {
            return new YamlReader(source, text, findings).Document();
        }
        catch (RefusedException refused)
        {
            findings.Add(refused.Finding);
            return null;
        }
    }

    private static string Text(string file)
    {
        var place = new SourceLocation(file);
        if (Directory.Exists(file))
        {
            throw new RefusedException(PipelineDiagnostics.IsFolder(place));
        }

        byte[] bytes = new byte[LimitBytes + 1];
        int length;
        try
        {
            using var stream = File.OpenRead(file);
            length = stream.ReadAtLeast(bytes, bytes.Length, throwOnEndOfStream: false);
        }
        catch (Exception e) when (e is FileNotFoundException or DirectoryNotFoundException || e is ArgumentException && file.Length == 0)
        {
            throw new RefusedException(PipelineDiagnostics.NoSuchFile(place, NearestFile(file)));
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or ArgumentException or NotSupportedException)
        {
            throw new RefusedException(PipelineDiagnostics.Unreadable(place, e.Message));
        }

        if (length > LimitBytes)
        {
            throw new RefusedException(PipelineDiagnostics.TooLarge(place, LimitBytes));
        }

        return Decoded(file, bytes.AsSpan(0, length));
    }

    private static string? NearestFile(string file)
    {
        string? folder = file.Length == 0 ? null : Path.GetDirectoryName(Path.GetFullPath(file));
        if (!Directory.Exists(folder))
        {
            return null;
        }

        var pipelines = Directory.EnumerateFiles(folder).Select(f => Path.GetFileName(f)).Where(f => f.EndsWith(".yaml", StringComparison.Ordinal) || f.EndsWith(".yml", StringComparison.Ordinal));
        return new Findings().Nearest(Path.GetFileName(file), pipelines.Order(StringComparer.Ordinal));
    }

    private static string Decoded(string file, ReadOnlySpan<byte> bytes)
    {
        int odd = bytes.IndexOfAnyInRange((byte)0, (byte)0x1F);
        while (odd >= 0 && bytes[odd] is (byte)'\t' or (byte)'\n' or (byte)'\r')
        {
            int next = bytes[(odd + 1)..].IndexOfAnyInRange((byte)0, (byte)0x1F);
            odd = next < 0 ? -1 : odd + 1 + next;
        }

        if (odd < 0)
        {
            try
            {
                return StrictUtf8.GetString(bytes).TrimStart('\uFEFF');
            }
            catch (DecoderFallbackException e)
            {
                odd = Math.Clamp(e.Index, 0, bytes.Length - 1);
            }
        }

        var before = bytes[..odd];
        int line = before.Count((byte)'\n') + 1;
        throw new RefusedException(PipelineDiagnostics.NotText(new SourceLocation(file, line, odd - before.LastIndexOf((byte)'\n')), bytes[odd]));
    }

    private YamlNode Document()
    {
        Next();
        Next();
        if (_parser.Current is StreamEnd)
        {
            throw new RefusedException(PipelineDiagnostics.Empty(new SourceLocation(_file, 1, 1)));
        }

        Next();
        YamlNode root = Node(depth: 0);
        if (root.IsNull)
        {
            throw new RefusedException(PipelineDiagnostics.Empty(new SourceLocation(_file, 1, 1)));
        }

        Next();
        Next();
        if (_parser.Current is DocumentStart second)
        {
            _findings.Add(PipelineDiagnostics.SeveralDocuments(Place(second.Start)));
        }

        return root;
    }

    /// <summary>The node that begins with the current event; afterwards the current event is the node's last.</summary>
    private YamlNode Node(int depth)
    {
        var current = _parser.Current!;
        var place = Place(current.Start);
        if (++_nodes > LimitNodes)
        {
            throw new RefusedException(PipelineDiagnostics.TooManyNodes(place, LimitNodes));
        }

        if (current is SequenceStart or MappingStart && depth >= LimitDepth)
        {
            throw new RefusedException(PipelineDiagnostics.TooDeep(place, LimitDepth));
        }

        if (current is AnchorAlias alias)
        {
            _findings.Add(PipelineDiagnostics.Alias(place, alias.Value.Value));
            return new YamlRefused(place);
        }

        if (current is not NodeEvent node)
        {
            throw NoYaml(current.Start);
        }

        RefuseAnchorAndTag(node, place);
        return node switch
        {
            Scalar scalar => new YamlScalar(scalar.Value, scalar.Style != ScalarStyle.Plain, place),
            SequenceStart => Sequence(place, depth),
            _ => Mapping(place, depth),
        };
    }

    private void RefuseAnchorAndTag(NodeEvent node, SourceLocation place)
    {
        if (!node.Anchor.IsEmpty)
        {
            _findings.Add(PipelineDiagnostics.Anchor(place, node.Anchor.Value));
        }

        if (!node.Tag.IsEmpty)
        {
            _findings.Add(PipelineDiagnostics.Tag(place, node.Tag.Value));
        }
    }

    private YamlSequence Sequence(SourceLocation place, int depth)
    {
        var items = new List<YamlNode>();
        for (Next(); _parser.Current is not SequenceEnd; Next())
        {
            items.Add(Node(depth + 1));
        }

        return new YamlSequence(items, place);
    }

    private YamlMapping Mapping(SourceLocation place, int depth)
    {
        var entries = new List<YamlEntry>();
        var seen = new Dictionary<string, SourceLocation>(StringComparer.Ordinal);
        for (Next(); _parser.Current is not MappingEnd; Next())
        {
            YamlNode key = Node(depth + 1);
            Next();
            YamlNode value = Node(depth + 1);
            if (key is not YamlScalar word)
            {
                if (key is not YamlRefused)
                {
                    _findings.Add(PipelineDiagnostics.KeyNotAWord(key.Location));
                }
            }
            else if (!seen.TryAdd(word.Text, word.Location))
            {
                _findings.Add(PipelineDiagnostics.DuplicateKey(word.Location, word.Text, seen[word.Text]));
            }
            else
            {
                entries.Add(new YamlEntry(word, value));
            }
        }

        return new YamlMapping(entries, place);
    }

    /// <summary>
    /// The door at which the package's exceptions stop: beside its own it throws InvalidOperationException, for example after <c>[1, 2</c>, and
    /// after an empty key (<c>: a: b</c>) its events do not pair.
    /// </summary>
    private void Next()
    {
        var last = _parser.Current?.End ?? Mark.Empty;
        try
        {
            if (!_parser.MoveNext())
            {
                throw NoYaml(last);
            }
        }
        catch (YamlException e)
        {
            var (sentence, hint) = InPlainWords(e.Message);
            throw new RefusedException(PipelineDiagnostics.Syntax(Place(e.Start), sentence, hint));
        }
        catch (Exception e) when (e is not (OutOfMemoryException or RefusedException))
        {
            throw NoYaml(last);
        }
    }

    private RefusedException NoYaml(Mark after) => new(PipelineDiagnostics.Syntax(
        Place(after), "What follows here is no YAML.", "Is a bracket or quote opened before it and never closed, or a key missing?"));

    /// <summary>The commonest mistakes, told as what to change; what is not among them is told in the parser's own words.</summary>
    private static (string Sentence, string? Hint) InPlainWords(string message)
    {
        (string Part, string Sentence, string Hint)[] known =
        [
            ("found invalid mapping", "Found a second ': ' in one value.", "Put the value in quotes, or check that the keys of one mapping begin in one column."),
            ("apping values are not allowed", "Found ': ' where no mapping can begin.", "Put the value in quotes, or check that the keys of one mapping begin in one column."),
            ("invalid tab as indentation", "A tab indents a line of the mapping that begins here.", "Indent with spaces."),
            ("cannot start any token", "A value cannot begin with this character.", "Put the value in quotes; indent with spaces, not tabs."),
            ("found unexpected end of stream", "A quote is opened here and never closed.", "Close it."),
            ("expected ',' or ']'", "A list in brackets is not continued or closed here.", "Write ',' between its elements and ']' at its end."),
            ("expected ',' or '}'", "A mapping in braces is not continued or closed here.", "Write ',' between its entries and '}' at its end."),
            ("did not find expected key", "This line fits no mapping around it.", "Write 'key: value', and begin the keys of one mapping in one column."),
            ("expected '-' indicator", "This line fits no list around it.", "Begin each element with '- ', all in one column."),
            ("unknown escape character", "A text in double quotes holds an unknown escape.", "Write '\\\\' for a backslash, or use single quotes."),
            ("did not find expected node content", "A value is expected here.", "Write one, or remove the ',' or bracket that stands in its place."),
            ("Block sequence entries are not allowed", "A list cannot begin with '- ' in the line of its key.", "Begin it on the next line, or write '[a, b]'."),
        ];
        foreach (var (part, sentence, hint) in known)
        {
            if (message.Contains(part, StringComparison.Ordinal))
            {
                return (sentence, hint);
            }
        }

        return ("This is no YAML: " + PipelineDiagnostics.Shown(message.TrimEnd('.')) + ".", null);
    }

    private SourceLocation Place(Mark mark) => new(_file, Math.Max(1, (int)mark.Line), Math.Max(1, (int)mark.Column));

    /// <summary>Ends the reading of a file with one finding.</summary>
    private sealed class RefusedException(Diagnostic finding) : Exception
    {
        public Diagnostic Finding { get; } = finding;
    }
}
