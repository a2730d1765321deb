// From what a setting names to files with digests.
using System.Text.Json.Nodes;
using System.Text.RegularExpressions;
using Scaling.Engine.Files;
using Scaling.Engine.Store;
using Scaling.Engine.Workers;
using Scaling.Sdk;

namespace Scaling.Engine.Planning;

/// <summary>Files that a setting names.</summary>
/// <param name="Setting">Dotted path.</param>
/// <param name="Text">As the user wrote it.</param>
/// <param name="Scheme">What stands before the colon, or the declared name; empty for a bare path.</param>
/// <param name="Files">Absolute paths in ordinal order of their paths, with the SHA-256 of each.</param>
public sealed record ResolvedFiles(string Setting, string Text, string Scheme, IReadOnlyList<ReadFile> Files)
{
    /// <summary>The setting's value as a stage gets it.</summary>
    public JsonObject ToSetting() => new()
    {
        ["text"] = Text,
        ["scheme"] = Scheme,
        ["paths"] = new JsonArray([.. Files.Select(f => (JsonNode)f.Path)]),
    };
}

/// <summary>Finds the files of <see cref="FileSet"/> settings.</summary>
/// <param name="folder">Folder of the pipeline file; relative paths begin there.</param>
/// <param name="store">Digests files, once while they stay the same.</param>
public sealed partial class FileSets(string folder, ContentStore store)
{
    /// <summary>Resolves a setting's text.</summary>
    /// <param name="setting">Dotted path.</param>
    /// <param name="text">Path, glob, <c>scheme:glob</c> or declared name.</param>
    /// <param name="declared">The schema's <c>x-files</c>.</param>
    /// <param name="location">Where the setting stands.</param>
    /// <param name="found">The files; null on a finding.</param>
    /// <returns>A finding, or null.</returns>
    public Diagnostic? Resolve(string setting, string text, JsonObject declared, SourceLocation location, out ResolvedFiles? found)
    {
        found = null;
        var named = declared["named"]!.AsObject();
        var schemes = declared["schemes"]!.AsArray().Select(s => s!.GetValue<string>()).ToArray();
        string scheme = "";
        string pattern = text;
        if (named[text] is { } machine)
        {
            scheme = text;
            pattern = machine.GetValue<string>().Replace("{dotnet}", ToolHost.Current.Dotnet);
        }
        else if (text.Split(':', 2) is [var head, var tail] && schemes.Contains(head))
        {
            scheme = head;
            pattern = tail;
        }

        if (scheme == text && pattern.Length == 0)
        {
            found = new ResolvedFiles(setting, text, scheme, []);
            return null;
        }

        try
        {
            pattern = Path.GetFullPath(pattern, folder);
            string[] paths = [.. Expand(pattern).Order(StringComparer.Ordinal)];
            if (paths.Length > 0)
            {
                found = new ResolvedFiles(setting, text, scheme, [.. paths.Select(p => new ReadFile(p, store.Digest(p)))]);
                return null;
            }

            string known = named.Count > 0 ? $" A name would be one of: {string.Join(", ", named.Select(n => n.Key))}." : "";
            return new Diagnostic("SCAL3005", $"The setting '{setting}' names '{Pipelines.PipelineDiagnostics.OnOneLine(text)}', and no file is there ({Pipelines.PipelineDiagnostics.OnOneLine(pattern)}).{known}")
            {
                Location = location,
                Hint = NearestSpelling.Hint(text, named.Select(n => n.Key)) ?? (scheme == text ? "Install the .NET SDK, or name files of your own." : "Paths are relative to the pipeline file."),
            };
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or ArgumentException) // The last: a character that no path may have.
        {
            return new Diagnostic("SCAL3006", $"The files of setting '{setting}' ('{Pipelines.PipelineDiagnostics.Shown(text)}') cannot be read: {Pipelines.PipelineDiagnostics.OnOneLine(e.Message)}") { Location = location };
        }
    }

    /// <summary>Files that a path or glob names, absolute, in no order: <c>*</c> and <c>?</c> within a segment, <c>**</c> for any folders, <c>{latest}</c> for the highest version.</summary>
    /// <param name="pattern">Absolute.</param>
    public static IEnumerable<string> Expand(string pattern)
    {
        string root = Path.GetPathRoot(pattern)!;
        string[] segments = pattern[root.Length..].Split(Path.DirectorySeparatorChar, StringSplitOptions.RemoveEmptyEntries);
        return Expand(root, segments);
    }

    private static IEnumerable<string> Expand(string at, ReadOnlyMemory<string> segments)
    {
        if (segments.IsEmpty)
        {
            return FileIdentity.IsRegularFile(at) ? [at] : [];
        }

        string segment = segments.Span[0];
        var rest = segments[1..];
        if (segment == "{latest}")
        {
            return Directory.Exists(at) && Directory.EnumerateDirectories(at).MaxBy(d => VersionOf(Path.GetFileName(d))) is { } latest ? Expand(latest, rest) : [];
        }

        if (segment.IndexOfAny(['*', '?']) < 0)
        {
            return Expand(Path.Combine(at, segment), rest);
        }

        if (!Directory.Exists(at))
        {
            return [];
        }

        return segment == "**"
            ? Directory.EnumerateDirectories(at).Where(d => !LeadsBack(d)).SelectMany(d => Expand(d, segments)).Concat(Expand(at, rest))
            : Directory.EnumerateFileSystemEntries(at, segment).SelectMany(e => Expand(e, rest));
    }

    /// <summary>Whether a folder is a link to one that it lies in, however many links that takes: following it would never end.</summary>
    private static bool LeadsBack(string folder)
    {
        if (new DirectoryInfo(folder).LinkTarget is null || !FileIdentity.TryOf(folder, out var to))
        {
            return false;
        }

        for (string? above = Path.GetDirectoryName(folder); above is not null; above = Path.GetDirectoryName(above))
        {
            if (FileIdentity.TryOf(above, out var there) && (there.Device, there.Inode) == (to.Device, to.Inode))
            {
                return true;
            }
        }

        return false;
    }

    /// <summary>Compares as versions do: by numbers, a release after its previews.</summary>
    private static (Version, bool, string) VersionOf(string name)
    {
        var match = VersionPattern().Match(name);
        return match.Success && Version.TryParse(match.Groups[1].Value, out var version)
            ? (version, match.Groups[2].Length == 0, name)
            : (new Version(0, 0), false, name);
    }

    [GeneratedRegex(@"^(?:net)?(\d+(?:\.\d+){1,3})(-.*)?$")]
    private static partial Regex VersionPattern();
}
