// Links from one document to another lead somewhere.
namespace Scaling.EndToEnd;

public sealed class LinksTests
{
    [Fact]
    public void Every_link_within_the_repository_has_its_file_and_its_heading()
    {
        var files = MarkdownFile.All.ToDictionary(f => f.Path, StringComparer.Ordinal);

        Assert.Contains(files.Values, f => f.Name == "README.md" && f.Links.Any());
        Assert.Empty(files.Values.SelectMany(file => file.Links.Where(link => !link.Target.Contains(':', StringComparison.Ordinal))
            .Where(link => !Leads(file, link.Target, files)).Select(link => $"{file.Name}({link.Line}): {link.Target}")));
    }

    private static bool Leads(MarkdownFile from, string target, Dictionary<string, MarkdownFile> files)
    {
        string[] parts = target.Split('#', 2);
        string path = parts[0].Length == 0 ? from.Path : Path.GetFullPath(Path.Combine(Path.GetDirectoryName(from.Path)!, Uri.UnescapeDataString(parts[0])));
        return (File.Exists(path) || Directory.Exists(path)) && (parts.Length == 1 || (files.TryGetValue(path, out var file) && file.Anchors.Contains(parts[1])));
    }
}
