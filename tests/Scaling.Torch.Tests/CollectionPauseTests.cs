// No collection while native code runs.
namespace Scaling.Torch.Tests;

public sealed class CollectionPauseTests
{
    [Fact]
    public void While_a_pause_is_held_garbage_is_collected_in_rests_alone()
    {
        using var pause = new CollectionPause();
        using var overlapping = new CollectionPause();
        int rests = 0;
        for (int step = 0; step < 3000; step++)
        {
            int before = GC.CollectionCount(0);
            pause.Rest();
            rests += GC.CollectionCount(0) - before > 0 ? 1 : 0;
            before = GC.CollectionCount(0);
            for (int i = 0; i < 400; i++)
            {
                GC.KeepAlive(new byte[100]);
            }

            Assert.Equal(before, GC.CollectionCount(0));
        }

        Assert.InRange(rests, 1, 50);
    }
}
