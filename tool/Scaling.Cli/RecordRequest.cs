// restore --record: the C# file that is asked for beside the restored results.
namespace Scaling.Cli;

/// <summary>A record of the JSON results.</summary>
/// <param name="Type">Its full name.</param>
/// <param name="File">The C# file, a full path.</param>
/// <param name="From">File name of the results that it is made of; null for the only JSON name.</param>
internal sealed record RecordRequest(string Type, string File, string? From)
{
    /// <summary>Writes the file where it says something else than the one that is there: what is unchanged is not compiled again.</summary>
    /// <param name="pipeline">Its name, for the header.</param>
    /// <param name="folder">Of the restored results.</param>
    /// <param name="results">Their names below it.</param>
    /// <exception cref="Sdk.StageFailedException">No record can be made of them.</exception>
    public void Write(string pipeline, string folder, IReadOnlyList<string> results)
    {
        var taken = CSharpRecord.Select(results, From);
        string[] stages = [.. taken.Select(name => name.Split('/')[0]).Distinct()];
        string source = $"pipeline '{pipeline}', stage{(stages.Length == 1 ? "" : "s")} {string.Join(", ", stages.Select(s => $"'{s}'"))}";
        string text = CSharpRecord.Of(Type, source, [.. taken.Select(name => (name, System.IO.File.ReadAllText(Path.Combine(folder, name))))]);
        if (!System.IO.File.Exists(File) || System.IO.File.ReadAllText(File) != text)
        {
            Engine.Files.Durable.Write(File, text);
        }
    }
}
