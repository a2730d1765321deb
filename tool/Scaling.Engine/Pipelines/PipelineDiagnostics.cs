// Every finding about a pipeline file: one factory a code, so that the table of codes is easy to check.
using System.Text;
using Scaling.Sdk;

namespace Scaling.Engine.Pipelines;

/// <summary>SCAL20xx: 00–09 the file, 10–19 its YAML, 20–29 the pipeline and its stages, 30–39 what stages need, 40–49 settings, 60–69 where it runs.</summary>
internal static class PipelineDiagnostics
{
    private const int WordsListed = 30;
    private const int LettersQuoted = 60;

    public static Diagnostic NoSuchFile(SourceLocation file, string? hint) =>
        At(file, "SCAL2001", $"There is no file '{Shown(file.File)}'; expected a pipeline in YAML.", hint);

    public static Diagnostic IsFolder(SourceLocation file) =>
        At(file, "SCAL2002", $"'{Shown(file.File)}' is a folder; expected a pipeline file.");

    public static Diagnostic Unreadable(SourceLocation file, string reason) =>
        At(file, "SCAL2003", $"The file cannot be read: {reason}", "Check its permissions.");

    public static Diagnostic TooLarge(SourceLocation file, int limitBytes) =>
        At(file, "SCAL2004", $"The file is larger than {limitBytes} bytes, which no pipeline is.", "Keep tables in files of their own and name them under 'needs:'.");

    public static Diagnostic NotText(SourceLocation at, byte found) =>
        At(at, "SCAL2005", $"The file is not text: found byte 0x{found:X2}; expected UTF-8 without control characters.");

    /// <summary>Of a file without YAML, which a profile may be.</summary>
    public const string EmptyCode = "SCAL2006";

    public static Diagnostic Empty(SourceLocation file) =>
        At(file, "SCAL2006", "The file holds no YAML; expected at least 'stages:'.", "'dotnet scaling schema' describes what a pipeline holds.");

    public static Diagnostic Syntax(SourceLocation at, string sentence, string? hint) => At(at, "SCAL2010", sentence, hint);

    public static Diagnostic TooDeep(SourceLocation at, int limit) =>
        At(at, "SCAL2011", $"Lists and mappings are nested deeper than {limit} levels; a pipeline needs fewer than ten.");

    public static Diagnostic TooManyNodes(SourceLocation at, int limit) =>
        At(at, "SCAL2012", $"The file holds more than {limit} values, which no pipeline does.", "Keep tables in files of their own and name them under 'needs:'.");

    public static Diagnostic Alias(SourceLocation at, string name) =>
        At(at, "SCAL2013", $"Found the alias '*{Shown(name)}'; a pipeline has no aliases.", "Write the value out; a pattern that begins with '*' needs quotes.");

    public static Diagnostic Anchor(SourceLocation at, string name) =>
        At(at, "SCAL2014", $"Found the anchor '&{Shown(name)}'; a pipeline has no anchors.", "Remove it, and write the value out where it is used.");

    public static Diagnostic Tag(SourceLocation at, string tag) =>
        At(at, "SCAL2015", $"Found the tag '{Shown(tag.Replace("tag:yaml.org,2002:", "!!", StringComparison.Ordinal))}'; a pipeline has no tags.", "Remove it: a setting's type is known from its stage.");

    public static Diagnostic DuplicateKey(SourceLocation at, string key, SourceLocation first) =>
        At(at, "SCAL2016", $"The key '{Shown(key)}' stands twice; it stands first in line {first.Line}.", "Keep one of them.");

    public static Diagnostic KeyNotAWord(SourceLocation at) =>
        At(at, "SCAL2017", "Found a list or mapping where a key was expected; keys are words.");

    public static Diagnostic SeveralDocuments(SourceLocation at) =>
        At(at, "SCAL2018", "A second YAML document begins here; a pipeline file holds one.", "Put it into a file of its own.");

    public static Diagnostic NotAPipeline(SourceLocation at, string found) =>
        At(at, "SCAL2020", $"Expected a mapping with 'stages:', found {found}.");

    public static Diagnostic UnknownKey(SourceLocation at, string owner, string key, IReadOnlyList<string> allowed, string? hint) =>
        At(at, "SCAL2021", $"{owner} has no key '{Shown(key)}'; it has {List(allowed)}.", hint);

    public static Diagnostic MissingKey(SourceLocation at, string owner, string key, string example) =>
        At(at, "SCAL2022", $"{owner} has no '{key}:'.", $"Write for example '{example}'.");

    public static Diagnostic WrongForm(SourceLocation at, string owner, string expected, string found, string? hint = null) =>
        At(at, "SCAL2023", $"{owner} expects {expected}, found {found}.", hint);

    public static Diagnostic BadName(SourceLocation at, string name, string? hint) =>
        At(at, "SCAL2024", $"'{Shown(name)}' cannot name a pipeline: expected a letter or digit, then letters, digits, '.', '_' or '-', at most {PipelineReader.LongestName} in all.", hint);

    public static Diagnostic BadStageId(SourceLocation at, string id) =>
        At(at, "SCAL2025", $"'{Shown(id)}' cannot name a stage: expected a letter, then letters, digits, '_' or '-', at most {PipelineReader.LongestName} in all.");

    public static Diagnostic BadDuration(SourceLocation at, string owner, string found) =>
        At(at, "SCAL2026", $"{owner} expects a duration of at most a year, found {found}.", "Write a number and s, m, h or d, for example 30s or 10m.");

    public static Diagnostic PathAndPackage(SourceLocation at) =>
        At(at, "SCAL2027", "A plugin is an assembly or a package: found keys of both; expected 'path', or 'package' and 'version'.", "Keep one of them.");

    public static Diagnostic UnknownStage(SourceLocation at, string stage, string needed, IEnumerable<string> stages, string? hint) =>
        At(at, "SCAL2030", $"Stage '{Shown(stage)}' needs '{Shown(needed)}', which is no stage here; there are {List(stages)}.", hint);

    public static Diagnostic NeedsItself(SourceLocation at, string stage) => At(at, "SCAL2031", $"Stage '{Shown(stage)}' needs itself.", "Remove it from 'needs:'.");

    public static Diagnostic Cycle(SourceLocation at, IReadOnlyList<string> stages) =>
        At(at, "SCAL2032", $"Stages need each other in a circle: {Circle(stages)}.", "Remove one of these needs.");

    public static Diagnostic NeededTwice(SourceLocation at, string stage, string needed) =>
        At(at, "SCAL2033", $"Stage '{Shown(stage)}' needs '{Shown(needed)}' twice.", "Keep one of them.");

    public static Diagnostic FileWithoutRole(SourceLocation at, string stage, string path) =>
        At(at, "SCAL2034", $"Stage '{Shown(stage)}' needs the file '{Shown(path)}' without saying as what.", $"Write 'needs: {{ ROLE: {Shown(path)} }}'.");

    public static Diagnostic UnknownSetting(SourceLocation at, string owner, string setting, IReadOnlyList<string> known, string? hint) =>
        At(at, "SCAL2040", $"{owner} has no setting '{Shown(setting)}'; it has {(known.Count == 0 ? "none" : List(known))}.", hint);

    public static Diagnostic MissingSetting(SourceLocation at, string owner, string setting, string expected) =>
        At(at, "SCAL2041", $"{owner} needs the setting '{setting}': {expected}.");

    public static Diagnostic WrongType(SourceLocation at, string setting, string expected, string found, string? hint = null) =>
        At(at, "SCAL2042", $"Setting '{Shown(setting)}' expects {expected}, found {found}.", hint);

    public static Diagnostic OutOfRange(SourceLocation at, string setting, string expected, string found, string? hint) =>
        At(at, "SCAL2043", $"Setting '{Shown(setting)}' expects {expected}, found {found}, which is out of range.", hint);

    public static Diagnostic NotAChoice(SourceLocation at, string setting, string expected, string found, string? hint) =>
        At(at, "SCAL2044", $"Setting '{Shown(setting)}' expects {expected}, found {found}.", hint);

    public static Diagnostic TooFew(SourceLocation at, string setting, string expected, int found) =>
        At(at, "SCAL2045", $"Setting '{Shown(setting)}' expects {expected}, found {found}.");

    public static Diagnostic UnknownFiles(SourceLocation at, string setting, string expected, string found, string? hint) =>
        At(at, "SCAL2046", $"Setting '{Shown(setting)}' expects {expected}, found {found}.", hint);

    public static Diagnostic NoExecutor(SourceLocation at, string owner, string found, string? hint) =>
        At(at, "SCAL2060", $"{owner} expects local or slurm, found {found}.", hint);

    public static Diagnostic NoLine(SourceLocation at, string owner, string found) =>
        At(at, "SCAL2061", $"{owner} expects a text of one line, without control characters or blanks around it, found {found}.", "Write it as Slurm takes it, or leave the key away.");

    public static Diagnostic NoCount(SourceLocation at, string owner, string found) =>
        At(at, "SCAL2062", $"{owner} expects a whole number from 1 to {int.MaxValue}, found {found}.", "Leave the key away for the usual.");

    public static Diagnostic NoMemory(SourceLocation at, string owner, string found) =>
        At(at, "SCAL2063", $"{owner} expects the memory of a node, at least one MiB, found {found}.", "Write for example 32G or 500M (K, M, G and T count by 1024), or a number of MiB.");

    public static Diagnostic NoTimeLimit(SourceLocation at, string owner, string found) =>
        At(at, "SCAL2064", $"{owner} expects a time of at most a year, found {found}.", "Write for example 90s, 30m, 4h or 2d, or as Slurm does 04:00:00, 2-12 or 2-12:00:00.");

    public static Diagnostic NoFlag(SourceLocation at, string owner, string found) =>
        At(at, "SCAL2065", $"{owner} expects options of sbatch, one a text and each as --name=value, found {found}.", "Write for example 'flags: [ --reservation=maintenance, --mail-type=FAIL ]'.");

    public static Diagnostic FlagOfKey(SourceLocation at, string owner, string flag, string key) =>
        At(at, "SCAL2066", $"{owner} has '{Shown(flag)}', which the key '{key}' says.", $"Write '{key}:' beside 'flags:' instead.");

    public static Diagnostic FlagOfTool(SourceLocation at, string owner, string flag) =>
        At(at, "SCAL2067", $"{owner} has '{Shown(flag)}', which the tool gives sbatch itself, or cannot work with.", "Remove it.");

    public static Diagnostic NotAProfile(SourceLocation at, string found) =>
        At(at, "SCAL2068", $"Expected a profile, a mapping with 'executor:' or 'resources:', found {found}.", "Write for example 'executor: slurm'.");

    public static Diagnostic NoFeedback(SourceLocation at, string stage, string source, string what, string hint) =>
        At(at, "SCAL2069", $"Stage '{Shown(stage)}' takes feedback from '{Shown(source)}', {what}; expected stages that need '{Shown(stage)}', directly or through others.", hint);

    /// <summary>What stands there, in words.</summary>
    public static string Found(YamlNode node) => node switch
    {
        { IsNull: true } => "nothing",
        YamlScalar { Quoted: true } scalar => $"the quoted text '{Shown(scalar.Text)}'",
        YamlScalar scalar => $"'{Shown(scalar.Text)}'",
        YamlSequence { Items.Count: 0 } => "an empty list",
        YamlSequence => "a list",
        YamlMapping { Entries.Count: 0 } => "an empty mapping",
        _ => "a mapping",
    };

    /// <summary>Text of the user as it may stand in a message: short, on one line, without control characters.</summary>
    public static string Shown(string text) => text.Length > LettersQuoted ? OnOneLine(text.AsSpan(0, LettersQuoted)) + "…" : OnOneLine(text);

    /// <summary>A whole text, such as a path or the message of an exception that quotes a file, on one line, without control characters.</summary>
    public static string OnOneLine(ReadOnlySpan<char> text)
    {
        var shown = new StringBuilder();
        foreach (char c in text)
        {
            shown.Append(c switch
            {
                '\n' => "\\n",
                '\t' => "\\t",
                _ when char.IsControl(c) || char.IsSurrogate(c) || c is '\u2028' or '\u2029' => $"\\u{(int)c:x4}",
                _ => c.ToString(),
            });
        }

        return shown.ToString();
    }

    private static Diagnostic At(SourceLocation at, string code, string message, string? hint = null) => new(code, message) { Location = at, Hint = hint };

    private static string List(IEnumerable<string> words)
    {
        string[] some = [.. words.Take(WordsListed + 1)];
        return string.Join(", ", some.Take(WordsListed).Select(Shown)) + (some.Length > WordsListed ? ", …" : "");
    }

    private static string Circle(IReadOnlyList<string> stages) =>
        stages.Count <= WordsListed
            ? string.Join(" → ", [.. stages.Select(Shown), Shown(stages[0])])
            : string.Join(" → ", [.. stages.Take(WordsListed).Select(Shown), "…", Shown(stages[0])]);
}
