// A plugin written into the text of a pipeline file; everything else, comments too, stays as it is.
using Scaling.Engine.Pipelines;

namespace Scaling.Cli;

internal static class PluginText
{
    /// <summary>The text with one more plugin.</summary>
    /// <param name="text">Of a pipeline file without findings.</param>
    /// <param name="document">What was read from it.</param>
    /// <param name="package">Package id.</param>
    /// <param name="version">As it is asked for.</param>
    /// <exception cref="UsageException">SCAL1014: the list is written so that only its author can add to it.</exception>
    public static string Add(string text, PipelineDocument document, string package, string version)
    {
        string newLine = text.Contains("\r\n", StringComparison.Ordinal) ? "\r\n" : "\n";
        string item = $"{{ package: {package}, version: {Quoted(version)} }}";
        var lines = text.Split(newLine).ToList();
        int plugins = lines.FindIndex(l => l.StartsWith("plugins:", StringComparison.Ordinal));
        if (plugins < 0)
        {
            int stages = lines.FindIndex(l => l.StartsWith("stages:", StringComparison.Ordinal));
            lines.InsertRange(Above(lines, stages), ["plugins:", "  - " + item]);
        }
        else if (document.Plugins.Count == 0)
        {
            lines[plugins] = "plugins:";
            lines.Insert(plugins + 1, "  - " + item);
        }
        else if (lines[plugins].Contains('[', StringComparison.Ordinal))
        {
            int opens = lines[plugins].IndexOf('[', StringComparison.Ordinal);
            lines[plugins] = $"{lines[plugins][..(opens + 1)]} {item},{lines[plugins][(opens + 1)..]}";
        }
        else
        {
            int first = lines.FindIndex(plugins + 1, l => l.TrimStart().StartsWith('-'));
            string indent = lines[first][..(lines[first].Length - lines[first].TrimStart().Length)];
            lines.Insert(first, $"{indent}- {item}");
        }

        string result = string.Join(newLine, lines);
        return Holds(result, document, package, version)
            ? result
            : throw new UsageException("SCAL1014", $"The plugin cannot be written into {document.File}: its list of plugins has a form that only its author can add to.", $"Write '{item}' into it yourself.");
    }

    /// <summary>Above the comments that belong to a line.</summary>
    private static int Above(List<string> lines, int line)
    {
        while (line > 0 && lines[line - 1].StartsWith('#'))
        {
            line--;
        }

        return line;
    }

    /// <summary>YAML would read 1.10 as a number, which a version is not.</summary>
    private static string Quoted(string version) => version.Count(c => c == '.') >= 2 && !version.Contains('*', StringComparison.Ordinal) && version[0] is not '[' and not '(' ? version : $"\"{version}\"";

    /// <summary>Whether it reads back as what it was with one plugin more.</summary>
    private static bool Holds(string text, PipelineDocument before, string package, string version)
    {
        string aside = Path.Combine(Path.GetTempPath(), $"{Guid.NewGuid():n}.yaml");
        try
        {
            File.WriteAllText(aside, text);
            var (after, findings) = PipelineReader.Read(aside);
            return findings.Count == 0 && after!.Plugins.Count == before.Plugins.Count + 1 && after.Plugins.Any(p => p.Name == package && p.Version == version)
                && after.Stages.Select(s => s.Id).SequenceEqual(before.Stages.Select(s => s.Id));
        }
        finally
        {
            File.Delete(aside);
        }
    }
}
