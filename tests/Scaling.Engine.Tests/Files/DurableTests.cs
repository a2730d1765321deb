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
}
