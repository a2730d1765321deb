// One of several who write a new file writes it.
using Scaling.Engine.Files;
using Scaling.TestKit;

namespace Scaling.Engine.Tests.Files;

public sealed class DurableTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void Of_several_who_write_a_new_file_at_once_one_does_and_the_others_are_told()
    {
        for (int round = 0; round < 30; round++)
        {
            string path = _folder[$"new/{round}"];
            int[] wrote = new int[8];

            Parallel.For(0, wrote.Length, new ParallelOptions { MaxDegreeOfParallelism = wrote.Length }, i => wrote[i] = Durable.TryWriteNew(path, [(byte)i]) ? 1 : 0);

            Assert.Equal(1, wrote.Sum());
            Assert.Equal([(byte)Array.IndexOf(wrote, 1)], File.ReadAllBytes(path));
        }

        Assert.Equal(30, Directory.EnumerateFileSystemEntries(_folder["new"]).Count()); // Nothing is left aside.
    }

    [Fact]
    public void What_a_process_left_aside_is_removed_when_it_is_gone_and_that_of_another_host_only_after_a_day()
    {
        string path = _folder["study.lock.json"];
        string here = Aside.Writer[Aside.Writer.IndexOf('-', StringComparison.Ordinal)..];
        int gone = Enumerable.Range(2_000_000, 1000).First(id => !Directory.Exists($"/proc/{id}"));
        string mine = Left($"{Environment.ProcessId}{here}"), dead = Left($"{gone}{here}"), elsewhere = Left($"{gone}-aaaaaaaa-1"), old = Left($"{Environment.ProcessId}-aaaaaaaa-1"), ofOldTool = Left($"{gone}");
        File.SetLastWriteTimeUtc(old, DateTime.UtcNow.AddDays(-2));

        Durable.RemoveAsides(path);

        Assert.Equal(new[] { mine, elsewhere, ofOldTool }.Order(), Directory.EnumerateFiles(_folder.Path).Order());
        Assert.False(File.Exists(dead));

        string Left(string writer) => _folder.Write($".study.lock.json.{writer}.{Guid.NewGuid():N}", "");
    }
}
