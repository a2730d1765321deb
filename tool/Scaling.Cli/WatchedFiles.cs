// What a pipeline file and the files that it names look like at a moment: whether anything has changed since.
using System.Text;
using Scaling.Engine.Files;
using Scaling.Engine.Locks;
using Scaling.Engine.Pipelines;
using Scaling.Engine.Planning;

namespace Scaling.Cli;

/// <summary>
/// Files are looked at, not listened to: notifications do not come from network drives and some containers, end with a file that an editor replaces, and need a folder that is there already.
/// Any text of a stage's settings may name files: what is none is never there, and costs a look.
/// </summary>
internal static class WatchedFiles
{
    /// <summary>All of them with their identities. Two looks that are equal saw the same content.</summary>
    /// <param name="pipeline">The pipeline file; it need not be there.</param>
    public static string Look(string pipeline)
    {
        string file = Path.GetFullPath(pipeline);
        var seen = new StringBuilder();
        foreach (string path in Named(file).Prepend(UserProfile.Place).Prepend(PipelineLock.PathOf(file)).Prepend(file).Distinct())
        {
            seen.Append(path).Append(' ').Append(FileIdentity.TryOf(path, out var identity) ? identity : null).Append('\n');
        }

        return seen.ToString();
    }

    private static IEnumerable<string> Named(string file)
    {
        if (PipelineReader.Read(file).Document is not { } document)
        {
            return [];
        }

        var plugins = document.Plugins.Where(p => p.Version is null).SelectMany(p => Beside(Absolute(document, p.Name)));
        var needs = document.Stages.SelectMany(s => s.Needs).Where(n => n.IsFile).Select(n => Absolute(document, n.Source));
        var settings = document.Stages.SelectMany(s => Texts(s.With)).SelectMany(text => Files(document, text));
        return plugins.Concat(needs).Concat(settings);
    }

    /// <summary>A plugin is described anew where any assembly beside it changes.</summary>
    private static IEnumerable<string> Beside(string assembly) =>
        Path.GetDirectoryName(assembly) is { } folder && Directory.Exists(folder) ? Directory.EnumerateFiles(folder, "*.dll").Order(StringComparer.Ordinal).Prepend(assembly) : [assembly];

    private static IEnumerable<string> Texts(YamlNode? node) => node switch
    {
        YamlScalar scalar => [scalar.Text],
        YamlSequence list => list.Items.SelectMany(Texts),
        YamlMapping mapping => mapping.Entries.SelectMany(e => Texts(e.Value)),
        _ => [],
    };

    /// <summary>As it stands, for it may come to be; and what it matches as a glob, with and without what may be a scheme.</summary>
    private static IEnumerable<string> Files(PipelineDocument document, string text)
    {
        string path = text[(text.IndexOf(':', StringComparison.Ordinal) + 1)..];
        if (path.Length == 0 || path.Contains('\0', StringComparison.Ordinal))
        {
            return [];
        }

        string pattern = Absolute(document, path);
        try
        {
            return path.IndexOfAny(['*', '?']) < 0 ? [pattern] : [.. FileSets.Expand(pattern).Order(StringComparer.Ordinal)];
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return []; // It changes under the look, or is not ours to read: the check says so.
        }
    }

    private static string Absolute(PipelineDocument document, string path) => path.Contains('\0', StringComparison.Ordinal) ? path : Path.GetFullPath(path, document.Folder);
}
